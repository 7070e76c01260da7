// Addresses that lead nowhere: EFAULT in every call and every argument, never a crash, and no byte
// beyond the program's buffer touched.
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "tests/sandboxee/scenario.h"

using namespace torno::test;

namespace {

constexpr std::size_t kPage = 4096;

// A readable page with a hole after it.
char* page_before_hole() {
  void* pages =
      mmap(nullptr, 2 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) return nullptr;
  mprotect(static_cast<char*>(pages) + kPage, kPage, PROT_NONE);
  return static_cast<char*>(pages);
}

// The address so many bytes before the hole.
char* before_hole(std::size_t bytes) {
  return page_before_hole() + kPage - bytes;
}

const long kBadAddresses[] = {1, 0, static_cast<long>(0x8000000000000000UL), -1, -4096};

}  // namespace

SEALED_SCENARIO(bad_addresses_of_paths_are_efault) {
  char buffer[256];
  for (const long bad : kBadAddresses) {
    CHECK_ERRNO(syscall(SYS_open, bad, O_RDONLY), EFAULT);
    CHECK_ERRNO(syscall(SYS_creat, bad, 0600), EFAULT);
    CHECK_ERRNO(syscall(SYS_openat, AT_FDCWD, bad, O_RDONLY), EFAULT);
    CHECK_ERRNO(syscall(SYS_openat, 1000, bad, O_RDONLY), EFAULT);
    CHECK_ERRNO(syscall(SYS_stat, bad, buffer), EFAULT);
    CHECK_ERRNO(syscall(SYS_lstat, bad, buffer), EFAULT);
    CHECK_ERRNO(syscall(SYS_newfstatat, AT_FDCWD, bad, buffer, 0), EFAULT);
    CHECK_ERRNO(syscall(SYS_statx, AT_FDCWD, bad, 0, 0, buffer), EFAULT);
    CHECK_ERRNO(syscall(SYS_access, bad, R_OK), EFAULT);
    CHECK_ERRNO(syscall(SYS_faccessat, AT_FDCWD, bad, R_OK), EFAULT);
    CHECK_ERRNO(syscall(SYS_faccessat2, AT_FDCWD, bad, R_OK, 0), EFAULT);
    CHECK_ERRNO(syscall(SYS_readlink, bad, buffer, sizeof buffer), EFAULT);
    CHECK_ERRNO(syscall(SYS_readlinkat, AT_FDCWD, bad, buffer, sizeof buffer), EFAULT);
  }
}

SEALED_SCENARIO(bad_addresses_of_results_are_efault) {
  const std::string path = place.file();
  const std::string link = place.link();
  const char* file = path.c_str();
  for (const long bad : kBadAddresses) {
    CHECK_ERRNO(syscall(SYS_stat, file, bad), EFAULT);
    CHECK_ERRNO(syscall(SYS_lstat, file, bad), EFAULT);
    CHECK_ERRNO(syscall(SYS_newfstatat, AT_FDCWD, file, bad, 0), EFAULT);
    CHECK_ERRNO(syscall(SYS_newfstatat, 0, "", bad, AT_EMPTY_PATH), EFAULT);
    CHECK_ERRNO(syscall(SYS_statx, AT_FDCWD, file, 0, STATX_ALL, bad), EFAULT);
    CHECK_ERRNO(syscall(SYS_readlink, link.c_str(), bad, 8), EFAULT);
    CHECK_ERRNO(syscall(SYS_openat2, AT_FDCWD, file, bad, 24), EFAULT);
  }
}

SEALED_SCENARIO(bad_addresses_of_translated_calls_are_efault) {
  const int epoll = epoll_create1(0);
  int pair[2];
  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
  for (const long bad : kBadAddresses) {
    if (bad == 0) continue;  // means "none" to these
    CHECK_ERRNO(syscall(SYS_rt_sigaction, SIGUSR1, bad, nullptr, 8), EFAULT);
    CHECK_ERRNO(syscall(SYS_rt_sigaction, SIGUSR1, nullptr, bad, 8), EFAULT);
    CHECK_ERRNO(syscall(SYS_rt_sigaction, SIGSYS, bad, nullptr, 8), EFAULT);
    CHECK_ERRNO(syscall(SYS_rt_sigaction, SIGSYS, nullptr, bad, 8), EFAULT);
    CHECK_ERRNO(syscall(SYS_rt_sigprocmask, SIG_BLOCK, bad, nullptr, 8), EFAULT);
    CHECK_ERRNO(syscall(SYS_rt_sigprocmask, SIG_BLOCK, nullptr, bad, 8), EFAULT);
    const sigset_t none{};
    CHECK_ERRNO(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &none, bad, 8), EFAULT);
    CHECK_ERRNO(syscall(SYS_rt_sigsuspend, bad, 8), EFAULT);
    CHECK_ERRNO(syscall(SYS_ppoll, nullptr, 0, nullptr, bad, 8), EFAULT);
    CHECK_ERRNO(syscall(SYS_pselect6, 0, nullptr, nullptr, nullptr, nullptr, bad), EFAULT);
    epoll_event event;
    CHECK_ERRNO(syscall(SYS_epoll_pwait, epoll, &event, 1, 0, bad, 8), EFAULT);
    CHECK_ERRNO(syscall(SYS_epoll_pwait2, epoll, &event, 1, nullptr, bad, 8), EFAULT);
    CHECK_ERRNO(syscall(SYS_setrlimit, RLIMIT_CORE, bad), EFAULT);
    CHECK_ERRNO(syscall(SYS_prlimit64, 0, RLIMIT_CORE, bad, nullptr), EFAULT);
    CHECK_ERRNO(syscall(SYS_sendmsg, pair[0], bad, 0), EFAULT);
    CHECK_ERRNO(syscall(SYS_sendmmsg, pair[0], bad, 1, 0), EFAULT);
    msghdr message{};
    message.msg_iov = reinterpret_cast<iovec*>(bad);
    message.msg_iovlen = 2;
    CHECK_ERRNO(syscall(SYS_sendmsg, pair[0], &message, 0), EFAULT);
    iovec pieces[2] = {{reinterpret_cast<void*>(bad), 8}, {reinterpret_cast<void*>(bad), 8}};
    message.msg_iov = pieces;
    CHECK_ERRNO(syscall(SYS_sendmsg, pair[0], &message, 0), EFAULT);
  }
}

SEALED_SCENARIO(a_path_may_end_where_its_page_does) {
  const std::string path = place.file();
  char* exact = before_hole(path.size() + 1);
  std::memcpy(exact, path.c_str(), path.size() + 1);
  const int fd = open(exact, O_RDONLY);
  CHECK(fd >= 0);
  char* endless = before_hole(path.size());
  std::memcpy(endless, path.c_str(), path.size());
  CHECK_ERRNO(open(endless, O_RDONLY), EFAULT);

  char* two_pages = static_cast<char*>(
      mmap(nullptr, 3 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  char* across = two_pages + kPage - 5;
  std::memcpy(across, path.c_str(), path.size() + 1);
  CHECK(open(across, O_RDONLY) >= 0);
  std::memset(two_pages, 'x', 2 * kPage);
  CHECK_ERRNO(open(two_pages + 1, O_RDONLY), ENAMETOOLONG);
}

SEALED_SCENARIO(the_longest_path_goes_through) {
  const std::string file = place.file();
  const std::string longest = std::string(PATH_MAX - 1 - file.size(), '/') + file;
  CHECK(open(longest.c_str(), O_RDONLY) >= 0);
  CHECK_ERRNO(open(("/" + longest).c_str(), O_RDONLY), ENAMETOOLONG);
}

SEALED_SCENARIO(results_end_where_the_buffer_does) {
  const std::string link = place.link();
  for (std::size_t room = 1; room <= 4; ++room) {
    char* buffer = before_hole(room);
    buffer[-1] = '#';
    CHECK(readlink(link.c_str(), buffer, room) == static_cast<ssize_t>(room));
    CHECK(buffer[-1] == '#' && std::memcmp(buffer, "file", room) == 0);
  }
  // The kernel writes no more than the link holds, so the rest may be a hole.
  CHECK(readlink(link.c_str(), before_hole(4), 100) == 4);
  CHECK_ERRNO(readlink(link.c_str(), before_hole(3), 100), EFAULT);

  const std::string file = place.file();
  auto* status = reinterpret_cast<struct stat*>(before_hole(sizeof(struct stat)));
  CHECK(stat(file.c_str(), status) == 0 && status->st_size == 5);
  CHECK_ERRNO(
      stat(file.c_str(), reinterpret_cast<struct stat*>(before_hole(sizeof(struct stat) - 8))),
      EFAULT);
  CHECK_ERRNO(
      stat(file.c_str(), reinterpret_cast<struct stat*>(
                             mmap(nullptr, kPage, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))),
      EFAULT);
}
