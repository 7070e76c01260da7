# Writes a C table of the system calls' names.
#   cmake -DCOMPILER=cc -DOUTPUT=names.c -P syscall_names.cmake
file(WRITE ${OUTPUT}.h "#include <asm/unistd.h>\n")
execute_process(COMMAND ${COMPILER} -E -dM ${OUTPUT}.h
                OUTPUT_VARIABLE macros COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "#define __NR_[a-z0-9_]+ [0-9]+" defines "${macros}")
set(rows "")
foreach(define IN LISTS defines)
  string(REGEX REPLACE "#define __NR_([a-z0-9_]+) ([0-9]+)" "  [\\2] = \"\\1\",\n" row "${define}")
  string(APPEND rows "${row}")
endforeach()
if(rows STREQUAL "")
  message(FATAL_ERROR "no system call numbers in <asm/unistd.h>: install the kernel's headers")
endif()
# Refused calls that are newer than Debian 12's header; a number of theirs is the same everywhere.
foreach(newer IN ITEMS "451 cachestat" "452 fchmodat2")
  string(REPLACE " " ";" newer "${newer}")
  list(GET newer 0 number)
  list(GET newer 1 name)
  if(NOT rows MATCHES "\\[${number}\\]")
    string(APPEND rows "  [${number}] = \"${name}\",\n")
  endif()
endforeach()
file(WRITE ${OUTPUT} "const char *const torno_syscall_names[] = {\n${rows}};
const int torno_syscall_name_count = sizeof torno_syscall_names / sizeof torno_syscall_names[0];
")
