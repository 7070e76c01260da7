// Ways to start a program that no rule lets it execute: /bin/true, which exits with 0.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attacker.h"

static const char program[] = "/usr/bin/true";
static char* const arguments[] = {"true", NULL};
static char* const none[] = {NULL};

// Runs where execution fails, too.
static enum Got execute(void (*start)(void)) {
  const pid_t child = fork();
  if (child < 0) return kBroken;
  if (child == 0) {
    start();
    _exit(99);
  }
  int status = 0;
  if (waitpid(child, &status, 0) != child) return kBroken;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? kGot : kRefused;
}

static void start_by_path(void) {
  syscall(SYS_execve, program, arguments, none);
}
static void start_by_directory(void) {
  const long folder = syscall(SYS_open, "/usr/bin", O_PATH | O_DIRECTORY, 0);
  syscall(SYS_execveat, folder, "true", arguments, none, 0);
}
static void start_by_script(void) {
  const long script = syscall(SYS_open, at("writable/script"), O_CREAT | O_WRONLY, 0755);
  static const char text[] = "#!/usr/bin/true\n";
  (void)!write((int)script, text, sizeof text - 1);
  close((int)script);
  syscall(SYS_execve, at("writable/script"), arguments, none);
}
static void start_descriptor(long fd) {
  char path[64];
  syscall(SYS_execveat, fd, "", arguments, none, AT_EMPTY_PATH);
  for (const char* const* name = (const char* const[]){"/proc/self/fd", "/dev/fd", NULL};
       *name != NULL; ++name) {
    snprintf(path, sizeof path, "%s/%ld", *name, fd);
    syscall(SYS_execve, path, arguments, none);
  }
}
static void start_by_descriptor(void) {
  start_descriptor(syscall(SYS_open, program, O_RDONLY, 0));
}
static void start_by_path_descriptor(void) {
  start_descriptor(syscall(SYS_open, program, O_PATH, 0));
}
static void copy_program(long to) {
  static char block[65536];
  const long from = syscall(SYS_open, program, O_RDONLY, 0);
  for (ssize_t size; (size = read((int)from, block, sizeof block)) > 0;) {
    if (write((int)to, block, (size_t)size) != size) _exit(98);
  }
  close((int)from);
}
static void start_by_memory(void) {
  const long image = syscall(SYS_memfd_create, "image", 0);
  copy_program(image);
  start_descriptor(image);
}
static void start_by_copy(void) {
  const long copy = syscall(SYS_open, at("writable/copy"), O_CREAT | O_RDWR, 0755);
  copy_program(copy);
  close((int)copy);
  syscall(SYS_execve, at("writable/copy"), arguments, none);
}
// A file that is there no more has no path that a rule could be about.
static void start_deleted(void) {
  const long copy = syscall(SYS_open, at("writable/gone"), O_CREAT | O_RDWR, 0755);
  copy_program(copy);
  close((int)copy);
  const long file = syscall(SYS_open, at("writable/gone"), O_RDONLY, 0);
  if (syscall(SYS_unlink, at("writable/gone")) == 0) start_descriptor(file);
}
static void start_temporary(void) {
  const long copy = syscall(SYS_open, at("writable"), O_TMPFILE | O_RDWR, 0755);
  copy_program(copy);
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%ld", copy);
  const long file = syscall(SYS_open, path, O_RDONLY, 0);
  close((int)copy);
  start_descriptor(file);
}

#define BY(name)                      \
  static enum Got exec_##name(void) { \
    return execute(start_##name);     \
  }
BY(by_path)
BY(by_directory)
BY(by_script)
BY(by_descriptor)
BY(by_path_descriptor)
BY(by_memory)
BY(by_copy)
BY(deleted)
BY(temporary)

const struct Attack exec_attacks[] = {{"ExecByPath", exec_by_path},
                                      {"ExecByDirectory", exec_by_directory},
                                      {"ExecByScript", exec_by_script},
                                      {"ExecByDescriptor", exec_by_descriptor},
                                      {"ExecByPathDescriptor", exec_by_path_descriptor},
                                      {"ExecByMemory", exec_by_memory},
                                      {"ExecByCopy", exec_by_copy},
                                      {"ExecDeleted", exec_deleted},
                                      {"ExecTemporary", exec_temporary},
                                      {NULL, NULL}};
