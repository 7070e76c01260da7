// Does the answer tell whether a hidden file is there? Each asks for one that is and one that is
// not, and succeeds where the two answers differ.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/stat.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "attacker.h"

typedef long (*Ask)(const char* path);

static enum Got differs(Ask ask) {
  errno = 0;
  const long there = ask(at("secret/key"));
  const int error_there = errno;
  errno = 0;
  const long missing = ask(at("secret/missing"));
  return (there < 0) != (missing < 0) || error_there != errno ? kGot : kRefused;
}

static char bytes[4096];

static long ask_stat(const char* path) {
  return syscall(SYS_stat, path, bytes);
}
static long ask_lstat(const char* path) {
  return syscall(SYS_lstat, path, bytes);
}
static long ask_statx(const char* path) {
  return syscall(SYS_statx, AT_FDCWD, path, 0, 0x7ff, bytes);
}
static long ask_access(const char* path) {
  return syscall(SYS_access, path, F_OK);
}
static long ask_readlink(const char* path) {
  return syscall(SYS_readlink, path, bytes, sizeof bytes);
}
static long ask_open(const char* path) {
  return syscall(SYS_open, path, O_RDONLY, 0);
}
static long ask_create(const char* path) {
  return syscall(SYS_open, path, O_RDONLY | O_CREAT | O_EXCL, 0600);
}
static long ask_path(const char* path) {
  return syscall(SYS_open, path, O_PATH, 0);
}
static long ask_chdir(const char* path) {
  return syscall(SYS_chdir, path);
}
static long ask_statfs(const char* path) {
  return syscall(SYS_statfs, path, bytes);
}
static long ask_unlink(const char* path) {
  return syscall(SYS_unlink, path);
}
static long ask_rmdir(const char* path) {
  return syscall(SYS_rmdir, path);
}
static long ask_rename(const char* path) {
  return syscall(SYS_rename, path, at("writable/renamed"));
}
static long ask_link(const char* path) {
  return syscall(SYS_link, path, at("writable/linked"));
}
static long ask_getxattr(const char* path) {
  return syscall(SYS_getxattr, path, "user.none", bytes, sizeof bytes);
}
static long ask_inotify(const char* path) {
  return syscall(SYS_inotify_add_watch, syscall(SYS_inotify_init1, 0), path, 1);
}
static long ask_execve(const char* path) {
  char* const none[] = {NULL};
  return syscall(SYS_execve, path, none, none);
}
static long ask_connect(const char* path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) return 0;
  strcpy(address.sun_path, path);
  return syscall(SYS_connect, syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0), &address,
                 sizeof address);
}

#define TELLS(name)                    \
  static enum Got tells_##name(void) { \
    return differs(ask_##name);        \
  }
TELLS(stat)
TELLS(lstat)
TELLS(statx)
TELLS(access)
TELLS(readlink)
TELLS(open)
TELLS(create)
TELLS(path)
TELLS(chdir)
TELLS(statfs)
TELLS(unlink)
TELLS(rmdir)
TELLS(rename)
TELLS(link)
TELLS(getxattr)
TELLS(inotify)
TELLS(execve)
TELLS(connect)

const struct Attack hidden_attacks[] = {{"TellByStat", tells_stat},
                                        {"TellByLstat", tells_lstat},
                                        {"TellByStatx", tells_statx},
                                        {"TellByAccess", tells_access},
                                        {"TellByReadlink", tells_readlink},
                                        {"TellByOpen", tells_open},
                                        {"TellByCreate", tells_create},
                                        {"TellByPath", tells_path},
                                        {"TellByChdir", tells_chdir},
                                        {"TellByStatfs", tells_statfs},
                                        {"TellByUnlink", tells_unlink},
                                        {"TellByRmdir", tells_rmdir},
                                        {"TellByRename", tells_rename},
                                        {"TellByLink", tells_link},
                                        {"TellByGetxattr", tells_getxattr},
                                        {"TellByInotify", tells_inotify},
                                        {"TellByExecve", tells_execve},
                                        {"TellByConnect", tells_connect},
                                        {NULL, NULL}};
