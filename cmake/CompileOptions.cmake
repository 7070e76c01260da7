# What every target of the project is compiled and linked with: torno_options for our own code,
# with warnings as errors; torno_generated_options for code that protoc wrote.

add_library(torno_generated_options INTERFACE)
add_library(torno_options INTERFACE)

target_compile_options(torno_generated_options INTERFACE
  -fstack-protector-strong
  $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=2>)
target_link_options(torno_generated_options INTERFACE -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack)

if(TORNO_SANITIZE STREQUAL "address")
  target_compile_options(torno_generated_options INTERFACE
    -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
    -U_FORTIFY_SOURCE)
  target_link_options(torno_generated_options INTERFACE -fsanitize=address,undefined)
elseif(TORNO_SANITIZE STREQUAL "thread")
  # Asio orders its handlers with atomic_thread_fence, which g++ says TSan does not model.
  target_compile_options(torno_generated_options INTERFACE
    -fsanitize=thread -fno-omit-frame-pointer -U_FORTIFY_SOURCE
    $<$<CXX_COMPILER_ID:GNU>:-Wno-tsan>)
  target_link_options(torno_generated_options INTERFACE -fsanitize=thread)
elseif(NOT TORNO_SANITIZE STREQUAL "")
  message(FATAL_ERROR "TORNO_SANITIZE is '${TORNO_SANITIZE}'; say address, thread or nothing")
endif()

# libFuzzer is guided by what it sees of the code that reads the bytes, not of the fuzzer alone.
if(TORNO_FUZZERS)
  target_compile_options(torno_generated_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

target_link_libraries(torno_options INTERFACE torno_generated_options)
target_compile_options(torno_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Werror)
target_include_directories(torno_options INTERFACE ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR})
target_compile_definitions(torno_options INTERFACE TORNO_VERSION="${PROJECT_VERSION}")

# torno_precompile(TARGET OWNER HEADER): OWNER compiles cmake/HEADER first, other targets of the
# same compile options share what it made. Halves the time of a build, and can be left out.
option(TORNO_PRECOMPILE "Precompile the headers that nearly every file includes" OFF)
function(torno_precompile target owner header)
  if(NOT TORNO_PRECOMPILE)
    return()
  endif()
  if(target STREQUAL owner)
    target_link_libraries(${target} PRIVATE protobuf::libprotobuf)
    target_precompile_headers(${target} PRIVATE ${PROJECT_SOURCE_DIR}/cmake/${header})
  else()
    target_precompile_headers(${target} REUSE_FROM ${owner})
  endif()
endfunction()

# torno_library(NAME SOURCES... ): a static library of the broker's side.
function(torno_library name)
  add_library(${name} STATIC ${ARGN})
  target_link_libraries(${name} PUBLIC torno_options)
  if(name STREQUAL torno_session OR name STREQUAL torno_server)
    torno_precompile(${name} torno_session precompiled_asio.h)
  else()
    torno_precompile(${name} torno_base precompiled.h)
  endif()
endfunction()

# torno_quick_start(TARGET): the program takes libstdc++ with it, as it does libprotobuf
# (Dependencies.cmake). A sanitizer wants the shared one.
function(torno_quick_start target)
  if(TORNO_SANITIZE STREQUAL "")
    target_link_options(${target} PRIVATE -static-libstdc++ -static-libgcc -Wl,--gc-sections)
  endif()
endfunction()
