# An outside C and an outside C++ project build against an installed copy of the library, by CMake
# and by pkg-config, and run.
#   cmake -DBUILD=… -DCC=… -DCXX=… -DGENERATOR=… -P install_test.cmake
# A folder of its own: the user who runs the test may not be the one who built.
execute_process(COMMAND mktemp -d -t torno-install.XXXXXX OUTPUT_VARIABLE SCRATCH
                OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
set(prefix ${SCRATCH}/prefix)
file(MAKE_DIRECTORY ${SCRATCH}/project)

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE output
                  ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    file(REMOVE_RECURSE ${SCRATCH})
    message(FATAL_ERROR "${ARGN}: ${status}\n${output}")
  endif()
endfunction()

run(${CMAKE_COMMAND} -DCMAKE_INSTALL_PREFIX=${prefix}
    -P ${BUILD}/sandboxee/cmake_install.cmake)

file(WRITE ${SCRATCH}/project/main.c [[
#include <stdio.h>
#include <torno/torno.h>
int main(void) {
  char error[TORNO_ERROR_SIZE];
  if (torno_enter("", 0, error, sizeof error) == 0) return 1;
  return torno_is_confined() || puts(torno_version()) < 0;
}
]])
file(WRITE ${SCRATCH}/project/main.cpp [[
#include <torno/torno.hpp>
int main() {
  const auto entered = torno::enter("");
  const auto set = torno::set("NAME", "value");
  torno::on_trap(nullptr);
  return entered || entered.error().empty() || !set || torno::is_confined();
}
]])
file(WRITE ${SCRATCH}/project/CMakeLists.txt [[
cmake_minimum_required(VERSION 3.25)
project(outside LANGUAGES C CXX)
set(CMAKE_CXX_STANDARD 23)
find_package(Torno 0.1 REQUIRED)
enable_testing()
foreach(library torno torno_static)
  add_executable(c_${library} main.c)
  add_executable(cpp_${library} main.cpp)
  foreach(program c_${library} cpp_${library})
    target_link_libraries(${program} PRIVATE Torno::${library})
    add_test(NAME ${program} COMMAND ${program})
  endforeach()
endforeach()
]])
run(${CMAKE_COMMAND} -G ${GENERATOR} -S ${SCRATCH}/project -B ${SCRATCH}/build
    -DCMAKE_PREFIX_PATH=${prefix}
    -DCMAKE_C_COMPILER=${CC} -DCMAKE_CXX_COMPILER=${CXX})
run(${CMAKE_COMMAND} --build ${SCRATCH}/build)
run(${CMAKE_CTEST_COMMAND} --test-dir ${SCRATCH}/build --output-on-failure)

file(GLOB_RECURSE pc ${prefix}/*/torno.pc)
get_filename_component(pc_dir ${pc} DIRECTORY)
set(ENV{PKG_CONFIG_PATH} ${pc_dir})
run(sh -c "${CC} -Wall -Werror ${SCRATCH}/project/main.c -o ${SCRATCH}/by_pkg_config \
    $(pkg-config --cflags --libs torno) \
    -Wl,-rpath,$(pkg-config --variable=libdir torno)")
run(${SCRATCH}/by_pkg_config)
file(REMOVE_RECURSE ${SCRATCH})
