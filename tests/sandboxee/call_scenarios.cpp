// open, stat, access, readlink through the broker, compared with what the kernel itself says.
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <torno/torno.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "tests/sandboxee/scenario.h"

using namespace torno::test;

namespace {

bool holds(int fd, const char* text) {
  char buffer[64];
  const ssize_t size = pread(fd, buffer, sizeof buffer, 0);
  return size == static_cast<ssize_t>(std::strlen(text)) &&
         std::memcmp(buffer, text, std::strlen(text)) == 0;
}

// Opened, holds "hello", closed.
bool is_hello(int fd) {
  const bool good = fd >= 0 && holds(fd, "hello");
  if (fd >= 0) close(fd);
  return good;
}

}  // namespace

SEALED_SCENARIO(open_reads_an_allowed_file) {
  CHECK(torno_is_confined() == 1);
  CHECK(is_hello(open(place.file().c_str(), O_RDONLY)));
  CHECK(is_hello(static_cast<int>(syscall(SYS_open, place.file().c_str(), O_RDONLY))));
  CHECK(is_hello(open(place.link().c_str(), O_RDONLY)));
  FILE* stream = std::fopen(place.file().c_str(), "r");
  CHECK(stream != nullptr);
  if (stream != nullptr) std::fclose(stream);
}

SEALED_SCENARIO(open_gives_the_kernels_errors) {
  CHECK_ERRNO(open(place.secret().c_str(), O_RDONLY), EACCES);
  CHECK_ERRNO(open("/etc/shadow", O_RDONLY), EACCES);
  CHECK_ERRNO(open((place.allowed() + "/missing").c_str(), O_RDONLY), ENOENT);
  CHECK_ERRNO(open((place.file() + "/below").c_str(), O_RDONLY), ENOTDIR);
  CHECK_ERRNO(open(place.file().c_str(), O_WRONLY), EACCES);
  CHECK_ERRNO(open("", O_RDONLY), ENOENT);
  CHECK_ERRNO(open(std::string(5000, 'x').c_str(), O_RDONLY), ENAMETOOLONG);
  CHECK_ERRNO(open(place.link().c_str(), O_RDONLY | O_NOFOLLOW), ELOOP);
  CHECK_ERRNO(open(place.file().c_str(), O_RDONLY | O_DIRECTORY), ENOTDIR);
}

SEALED_SCENARIO(open_takes_the_lowest_number_and_the_close_on_exec_flag) {
  const int first = open(place.file().c_str(), O_RDONLY);
  const int second = open(place.file().c_str(), O_RDONLY | O_CLOEXEC);
  CHECK(first >= 0 && second == first + 1);
  CHECK(fcntl(first, F_GETFD) == 0);
  CHECK(fcntl(second, F_GETFD) == FD_CLOEXEC);
  close(first);
  CHECK(open(place.file().c_str(), O_RDONLY) == first);
}

SEALED_SCENARIO(open_creates_under_the_umask) {
  const std::string name = place.writable() + "/made";
  struct stat status;
  umask(027);
  int fd = open(name.c_str(), O_CREAT | O_EXCL | O_RDWR, 0666);
  CHECK(fd >= 0);
  CHECK(fstat(fd, &status) == 0 && (status.st_mode & 07777) == 0640);
  CHECK(write(fd, "text", 4) == 4);
  close(fd);
  CHECK(umask(0) == 027);
  fd = creat((name + "2").c_str(), 0600);
  CHECK(fd >= 0 && fstat(fd, &status) == 0 && (status.st_mode & 07777) == 0600);
  CHECK(umask(022) == 0);
  CHECK_ERRNO(open(name.c_str(), O_CREAT | O_EXCL | O_RDWR, 0666), EEXIST);
  CHECK_ERRNO(open((place.allowed() + "/made").c_str(), O_CREAT | O_WRONLY, 0666), EACCES);
}

SCENARIO(relative_paths_start_where_they_should) {
  const int directory = open(place.directory.c_str(), O_PATH | O_DIRECTORY);
  const int file = open(place.file().c_str(), O_RDONLY);
  CHECK(chdir(place.allowed().c_str()) == 0);
  enter("test");
  CHECK(is_hello(open("file", O_RDONLY)));
  CHECK(is_hello(open("./file", O_RDONLY)));
  CHECK(is_hello(open("../allowed/file", O_RDONLY)));
  CHECK(is_hello(openat(directory, "allowed/file", O_RDONLY)));
  CHECK_ERRNO(openat(directory, "denied/secret", O_RDONLY), EACCES);
  CHECK(is_hello(openat(directory, place.file().c_str(), O_RDONLY)));
  CHECK(is_hello(openat(-1, place.file().c_str(), O_RDONLY)));
  CHECK_ERRNO(openat(-1, "file", O_RDONLY), EBADF);
  CHECK_ERRNO(openat(1000, "file", O_RDONLY), EBADF);
  CHECK_ERRNO(openat(4095, "file", O_RDONLY), EBADF);
  CHECK_ERRNO(openat(file, "file", O_RDONLY), ENOTDIR);
  CHECK(access("file", R_OK) == 0);
  CHECK(faccessat(directory, "allowed/file", R_OK, 0) == 0);
  // AT_FDCWD comes both sign-extended and not.
  CHECK(is_hello(static_cast<int>(syscall(SYS_openat, 0xffffff9cU, "file", O_RDONLY))));
}

SCENARIO(own_descriptors_are_found_by_path) {
  const int file = open(place.file().c_str(), O_RDONLY);
  const int directory = open(place.allowed().c_str(), O_RDONLY | O_DIRECTORY);
  CHECK(dup2(file, STDIN_FILENO) == STDIN_FILENO);
  enter("test");
  CHECK(is_hello(open("/dev/stdin", O_RDONLY)));
  for (const std::string& prefix :
       {std::string("/proc/self/fd/"), std::string("/dev/fd/"),
        std::string("/proc/thread-self/fd/"), "/proc/" + std::to_string(getpid()) + "/fd/"}) {
    CHECK(is_hello(open((prefix + std::to_string(file)).c_str(), O_RDONLY)));
    CHECK(is_hello(open((prefix + std::to_string(directory) + "/file").c_str(), O_RDONLY)));
    CHECK_ERRNO(open((prefix + "1000").c_str(), O_RDONLY), ENOENT);
    CHECK_ERRNO(open((prefix + "4095").c_str(), O_RDONLY), ENOENT);
  }
}

SEALED_SCENARIO(openat2_reads_its_structure_as_the_kernel_does) {
  struct {
    std::uint64_t flags, mode, resolve, later;
  } how{};
  const auto open2 = [&](std::size_t size) {
    return static_cast<int>(syscall(SYS_openat2, AT_FDCWD, place.file().c_str(), &how, size));
  };
  CHECK(is_hello(open2(24)));
  CHECK(is_hello(open2(32)));
  CHECK_ERRNO(open2(16), EINVAL);
  CHECK_ERRNO(open2(5000), E2BIG);
  how.later = 1;
  CHECK_ERRNO(open2(32), E2BIG);
  how = {};
  how.flags = 0100000;  // O_LARGEFILE
  CHECK(is_hello(open2(24)));
  how.flags = std::uint64_t{1} << 40;
  CHECK_ERRNO(open2(24), EINVAL);
  how.flags = 0;
  how.mode = 0644;
  CHECK_ERRNO(open2(24), EINVAL);
  how = {O_CREAT, 0100644, 0, 0};
  CHECK_ERRNO(open2(24), EINVAL);
  how = {0, 0, RESOLVE_BENEATH, 0};
  CHECK_ERRNO(open2(24), EXDEV);
  const int directory = open(place.allowed().c_str(), O_PATH);
  CHECK(is_hello(static_cast<int>(syscall(SYS_openat2, directory, "file", &how, 24))));
  CHECK_ERRNO(syscall(SYS_openat2, directory, "../allowed/file", &how, 24), EXDEV);
  how.resolve = RESOLVE_IN_ROOT;
  CHECK(is_hello(static_cast<int>(syscall(SYS_openat2, directory, "/file", &how, 24))));
  how.resolve = RESOLVE_NO_SYMLINKS;
  CHECK_ERRNO(syscall(SYS_openat2, directory, "link", &how, 24), ELOOP);
  // Bits that open does not know are ignored.
  CHECK(is_hello(static_cast<int>(syscall(SYS_open, place.file().c_str(), 0x40000000))));
}

SCENARIO(stat_says_what_the_kernel_says) {
  struct stat file, link, open_file;
  struct statx file_x;
  CHECK(stat(place.file().c_str(), &file) == 0);
  CHECK(lstat(place.link().c_str(), &link) == 0);
  CHECK(statx(AT_FDCWD, place.file().c_str(), 0, STATX_ALL, &file_x) == 0);
  const int fd = open(place.file().c_str(), O_RDONLY);
  enter("test");

  const auto same = [](const struct stat& a, const struct stat& b) {
    return a.st_dev == b.st_dev && a.st_ino == b.st_ino && a.st_nlink == b.st_nlink &&
           a.st_mode == b.st_mode && a.st_uid == b.st_uid && a.st_gid == b.st_gid &&
           a.st_rdev == b.st_rdev && a.st_size == b.st_size && a.st_blksize == b.st_blksize &&
           a.st_blocks == b.st_blocks && a.st_mtim.tv_sec == b.st_mtim.tv_sec &&
           a.st_mtim.tv_nsec == b.st_mtim.tv_nsec && a.st_ctim.tv_nsec == b.st_ctim.tv_nsec;
  };
  struct stat now;
  CHECK(stat(place.file().c_str(), &now) == 0 && same(now, file));
  CHECK(stat(place.link().c_str(), &now) == 0 && same(now, file));
  CHECK(lstat(place.link().c_str(), &now) == 0 && same(now, link));
  CHECK(syscall(SYS_stat, place.link().c_str(), &now) == 0 && same(now, file));
  CHECK(syscall(SYS_lstat, place.link().c_str(), &now) == 0 && same(now, link));
  CHECK(fstatat(AT_FDCWD, place.link().c_str(), &now, AT_SYMLINK_NOFOLLOW) == 0 && same(now, link));
  CHECK(fstat(fd, &open_file) == 0 && same(open_file, file));
  CHECK(syscall(SYS_newfstatat, fd, "", &now, AT_EMPTY_PATH) == 0 && same(now, file));
  CHECK_ERRNO(fstatat(fd, "", &now, 0), ENOENT);
  CHECK_ERRNO(syscall(SYS_newfstatat, 1000, "", &now, AT_EMPTY_PATH), EBADF);
  CHECK_ERRNO(syscall(SYS_newfstatat, AT_FDCWD, "x", &now, 0x40000000), EINVAL);
  CHECK_ERRNO(stat(place.secret().c_str(), &now), EACCES);
  CHECK_ERRNO(stat((place.allowed() + "/missing").c_str(), &now), ENOENT);

  struct statx now_x;
  CHECK(statx(AT_FDCWD, place.file().c_str(), 0, STATX_ALL, &now_x) == 0);
  CHECK(now_x.stx_ino == file_x.stx_ino && now_x.stx_size == 5 &&
        now_x.stx_dev_major == file_x.stx_dev_major && now_x.stx_mode == file_x.stx_mode &&
        now_x.stx_btime.tv_sec == file_x.stx_btime.tv_sec);
  CHECK(statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &now_x) == 0 &&
        now_x.stx_ino == file_x.stx_ino);
  int pipe_ends[2];
  CHECK(pipe(pipe_ends) == 0);
  CHECK(statx(pipe_ends[0], "", AT_EMPTY_PATH, STATX_BASIC_STATS, &now_x) == 0 &&
        S_ISFIFO(now_x.stx_mode));
  CHECK_ERRNO(statx(AT_FDCWD, place.file().c_str(), 0, 0x80000000U, &now_x), EINVAL);
  CHECK_ERRNO(statx(AT_FDCWD, place.file().c_str(), 0x6000, STATX_ALL, &now_x), EINVAL);
}

SEALED_SCENARIO(access_answers) {
  CHECK(access(place.file().c_str(), R_OK) == 0);
  CHECK(access(place.file().c_str(), F_OK) == 0);
  CHECK_ERRNO(access(place.file().c_str(), W_OK), EACCES);
  CHECK_ERRNO(access(place.secret().c_str(), R_OK), EACCES);
  CHECK_ERRNO(access((place.allowed() + "/missing").c_str(), F_OK), ENOENT);
  CHECK_ERRNO(access(place.file().c_str(), 8), EINVAL);
  CHECK(faccessat(AT_FDCWD, place.file().c_str(), R_OK, AT_EACCESS) == 0);
  CHECK(syscall(SYS_faccessat2, AT_FDCWD, place.link().c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0);
  CHECK_ERRNO(syscall(SYS_faccessat2, AT_FDCWD, place.file().c_str(), R_OK, 0x8000), EINVAL);
  // The fourth register means nothing to the older call.
  CHECK(syscall(SYS_faccessat, AT_FDCWD, place.file().c_str(), R_OK, 0x8000) == 0);
}

SCENARIO(readlink_answers) {
  const int link = open(place.link().c_str(), O_PATH | O_NOFOLLOW);
  enter("test");
  char buffer[16];
  std::memset(buffer, '#', sizeof buffer);
  CHECK(readlink(place.link().c_str(), buffer, sizeof buffer) == 4);
  CHECK(std::memcmp(buffer, "file#", 5) == 0);
  std::memset(buffer, '#', sizeof buffer);
  CHECK(readlink(place.link().c_str(), buffer, 2) == 2);
  CHECK(std::memcmp(buffer, "fi#", 3) == 0);
  CHECK(readlinkat(AT_FDCWD, place.link().c_str(), buffer, sizeof buffer) == 4);
  CHECK(readlinkat(link, "", buffer, sizeof buffer) == 4);
  CHECK_ERRNO(readlink(place.file().c_str(), buffer, sizeof buffer), EINVAL);
  CHECK_ERRNO(readlink(place.link().c_str(), buffer, 0), EINVAL);
  CHECK_ERRNO(readlink((place.allowed() + "/missing").c_str(), buffer, sizeof buffer), ENOENT);
  CHECK_ERRNO(readlink((place.directory + "/denied/secret").c_str(), buffer, sizeof buffer),
              EACCES);
}

SEALED_SCENARIO(errno_stays_as_it_was) {
  torno_on_trap([](const torno_trap*, void*) { errno = 4321; }, nullptr);
  errno = 1234;
  const int fd = open(place.file().c_str(), O_RDONLY);
  const int after = errno;
  CHECK(fd >= 0 && after == 1234);
  CHECK_ERRNO(open(place.secret().c_str(), O_RDONLY), EACCES);
}

SEALED_SCENARIO(ten_thousand_calls_leave_no_descriptor_behind) {
  const int before = open(place.file().c_str(), O_RDONLY);
  close(before);
  struct stat status;
  char buffer[8];
  for (int i = 0; i < 2500; ++i) {
    close(open(place.file().c_str(), O_RDONLY));
    CHECK(stat(place.file().c_str(), &status) == 0);
    CHECK(readlink(place.link().c_str(), buffer, sizeof buffer) == 4);
    CHECK(open(place.secret().c_str(), O_RDONLY) == -1);
    if (failures() != 0) return;
  }
  CHECK(open(place.file().c_str(), O_RDONLY) == before);
}

SEALED_SCENARIO(running_out_of_descriptors_is_emfile_and_passes) {
  rlimit limit;
  CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
  limit.rlim_cur = 64;
  CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
  int last = -1;
  int fd;
  while ((fd = dup(STDERR_FILENO)) >= 0) last = fd;
  CHECK(last == 63);
  CHECK_ERRNO(open(place.file().c_str(), O_RDONLY), EMFILE);
  CHECK(access(place.file().c_str(), R_OK) == 0);
  close(last);
  CHECK(is_hello(open(place.file().c_str(), O_RDONLY)));
}
