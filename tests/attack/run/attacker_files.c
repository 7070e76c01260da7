// Ways to a secret file, and to change what may not be changed.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "attacker.h"

static enum Got reads(const char* path) {
  return reads_secret(syscall(SYS_open, path, O_RDONLY, 0));
}

static enum Got by_path(void) {
  return reads(at("secret/key"));
}
static enum Got by_openat2(void) {
  struct open_how how = {.flags = O_RDONLY};
  return reads_secret(syscall(SYS_openat2, AT_FDCWD, at("secret/key"), &how, sizeof how));
}
static enum Got by_dots(void) {
  return reads(at("allowed/../secret/key"));
}
static enum Got by_symlink(void) {
  return reads(at("allowed/link"));
}
static enum Got by_directory_symlink(void) {
  return reads(at("allowed/dirlink/key"));
}
static enum Got by_new_symlink(void) {
  syscall(SYS_unlink, at("writable/link"));
  if (syscall(SYS_symlink, at("secret/key"), at("writable/link")) != 0) return kRefused;
  return reads(at("writable/link"));
}
static enum Got by_hard_link(void) {
  syscall(SYS_unlink, at("writable/hard"));
  if (syscall(SYS_link, at("secret/key"), at("writable/hard")) != 0) return kRefused;
  return reads(at("writable/hard"));
}
static enum Got by_rename(void) {
  if (syscall(SYS_rename, at("secret/key"), at("writable/moved")) != 0) return kRefused;
  return reads(at("writable/moved"));
}

static enum Got by_proc(const char* process, const char* link) {
  char path[4096];
  snprintf(path, sizeof path, "/proc/%s/%s%s", process, link, at("secret/key"));
  return reads(path);
}
static enum Got by_own_root(void) {
  return by_proc("self", "root");
}
static enum Got by_thread_root(void) {
  return by_proc("thread-self", "root");
}
static enum Got by_root_of(int process) {
  char number[16];
  snprintf(number, sizeof number, "%d", process);
  return by_proc(number, "root");
}
static enum Got by_root_of_parent(void) {
  return by_root_of(targets.parent);
}
static enum Got by_root_of_victim(void) {
  return by_root_of(targets.victim);
}
static enum Got by_own_cwd(void) {
  if (syscall(SYS_chdir, at("allowed")) != 0) return kBroken;
  return reads("/proc/self/cwd/../secret/key");
}
static enum Got by_relative_path(void) {
  if (syscall(SYS_chdir, at("allowed")) != 0) return kBroken;
  return reads("../secret/key");
}

static enum Got below(const char* directory, int flags) {
  const long folder = syscall(SYS_open, at(directory), O_DIRECTORY | flags, 0);
  if (folder < 0) return kBroken;
  return reads_secret(syscall(SYS_openat, folder, "../secret/key", O_RDONLY, 0));
}
static enum Got by_directory(void) {
  return below("allowed", O_RDONLY);
}
static enum Got by_directory_path(void) {
  return below("allowed", O_PATH);
}
static enum Got by_root_of_openat2(void) {
  const long folder = syscall(SYS_open, at("allowed"), O_DIRECTORY | O_RDONLY, 0);
  struct open_how how = {.flags = O_RDONLY};
  if (folder < 0) return kBroken;
  return reads_secret(syscall(SYS_openat2, folder, "dirlink/key", &how, sizeof how));
}

static enum Got reopen(long fd) {
  char path[64];
  if (fd < 0) return kRefused;
  snprintf(path, sizeof path, "/proc/self/fd/%ld", fd);
  return reads(path);
}
static enum Got by_reopened_path(void) {
  return reopen(syscall(SYS_open, at("secret/key"), O_PATH, 0));
}
static enum Got by_reopened_symlink(void) {
  return reopen(syscall(SYS_open, at("allowed/link"), O_PATH, 0));
}
// What is open for reading, to be opened for writing.
static enum Got by_reopened_for_writing(void) {
  char path[64];
  const long fd = syscall(SYS_open, at("allowed/public"), O_RDONLY, 0);
  if (fd < 0) return kBroken;
  snprintf(path, sizeof path, "/proc/self/fd/%ld", fd);
  return done(syscall(SYS_open, path, O_RDWR, 0));
}

static enum Got by_handle(void) {
  struct {
    struct file_handle head;
    unsigned char bytes[128];
  } handle = {.head = {.handle_bytes = sizeof handle.bytes}};
  int mount = 0;
  if (syscall(SYS_name_to_handle_at, AT_FDCWD, at("secret/key"), &handle, &mount, 0) != 0) {
    return kRefused;
  }
  const long root = syscall(SYS_open, at("allowed"), O_RDONLY | O_DIRECTORY, 0);
  return reads_secret(syscall(SYS_open_by_handle_at, root, &handle, O_RDONLY));
}

static enum Got by_writing(void) {
  return done(syscall(SYS_open, at("allowed/public"), O_WRONLY, 0));
}
static enum Got by_truncating(void) {
  return done(syscall(SYS_truncate, at("allowed/public"), 0L));
}
static enum Got by_making(void) {
  return done(syscall(SYS_open, at("allowed/made"), O_CREAT | O_WRONLY, 0644));
}
static enum Got by_removing(void) {
  return done(syscall(SYS_unlink, at("allowed/public")));
}
static enum Got by_mode(void) {
  return done(syscall(SYS_chmod, at("allowed/public"), 0777));
}
static enum Got by_mode_of_descriptor(void) {
  const long fd = syscall(SYS_open, at("allowed/public"), O_RDONLY, 0);
  return fd < 0 ? kBroken : done(syscall(SYS_fchmod, fd, 0777));
}
static enum Got by_set_id_bit(void) {
  const long fd = syscall(SYS_open, at("writable/set-id"), O_CREAT | O_RDWR, 0755);
  if (fd < 0) return kBroken;
  syscall(SYS_fchmod, fd, 04755);
  syscall(SYS_chmod, at("writable/set-id"), 04755);
  syscall(SYS_open, at("writable/set-id-2"), O_CREAT | O_RDWR, 04755);
  struct stat first = {0};
  struct stat second = {0};
  fstat((int)fd, &first);
  stat(at("writable/set-id-2"), &second);
  return ((first.st_mode | second.st_mode) & S_ISUID) != 0 ? kGot : kRefused;
}
static enum Got by_device(void) {
  const dev_t memory = (1 << 8) | 5;  // zero
  if (syscall(SYS_mknod, at("writable/device"), S_IFCHR | 0600, memory) != 0) return kRefused;
  return done(syscall(SYS_open, at("writable/device"), O_RDONLY, 0));
}

const struct Attack file_attacks[] = {{"OpenByPath", by_path},
                                      {"OpenByOpenat2", by_openat2},
                                      {"OpenByDots", by_dots},
                                      {"OpenBySymlink", by_symlink},
                                      {"OpenByDirectorySymlink", by_directory_symlink},
                                      {"OpenByNewSymlink", by_new_symlink},
                                      {"OpenByHardLink", by_hard_link},
                                      {"OpenByRename", by_rename},
                                      {"OpenByOwnRoot", by_own_root},
                                      {"OpenByThreadRoot", by_thread_root},
                                      {"OpenByRootOfParent", by_root_of_parent},
                                      {"OpenByRootOfVictim", by_root_of_victim},
                                      {"OpenByOwnCwd", by_own_cwd},
                                      {"OpenByRelativePath", by_relative_path},
                                      {"OpenByDirectory", by_directory},
                                      {"OpenByDirectoryPath", by_directory_path},
                                      {"OpenByRootOfOpenat2", by_root_of_openat2},
                                      {"OpenByReopenedPath", by_reopened_path},
                                      {"OpenByReopenedSymlink", by_reopened_symlink},
                                      {"OpenByHandle", by_handle},
                                      {"WriteByReopening", by_reopened_for_writing},
                                      {"WriteByPath", by_writing},
                                      {"Truncate", by_truncating},
                                      {"Make", by_making},
                                      {"Remove", by_removing},
                                      {"Mode", by_mode},
                                      {"ModeOfDescriptor", by_mode_of_descriptor},
                                      {"SetIdBit", by_set_id_bit},
                                      {"Device", by_device},
                                      {NULL, NULL}};
