// Every mediated call, outside and under the supervisor: results, errno values, and what was
// written to memory, to the byte.
#include <linux/openat2.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include "tests/broker/notify/twice.h"

namespace torno::notify::test {
namespace {

constexpr int kMarked = 0x5a;

template <typename... Arguments>
long raw(long number, Arguments... arguments) {
  return ::syscall(number, arguments...);
}

void put_fd(Record& record, long fd) {
  record.result(fd);
  if (fd < 0) return;
  const int number = static_cast<int>(fd);
  record.number(::fcntl(number, F_GETFD));
  record.number(::fcntl(number, F_GETFL) & ~O_DIRECTORY);  // of O_PATH descriptors it is not kept
  ::close(number);
}

// Of a structure all that does not change by itself: the time it was looked at.
void put_stat(Record& record, long result, struct stat& status) {
  record.result(result);
  status.st_atim = {};
  status.st_ino = 0;
  status.st_mtim = {};
  status.st_ctim = {};
  record.bytes(std::as_bytes(std::span(&status, 1)));
}

class NotifyCompare : public Twice {
 protected:
  const std::vector<std::string> names_ = {path("file"),
                                           path("dir"),
                                           path("link"),
                                           path("dirlink/inner"),
                                           path("dangling"),
                                           path("loop"),
                                           path("nothing"),
                                           path("file/x"),
                                           path("file/"),
                                           path("dir/../file"),
                                           "",
                                           path(std::string(255, 'n')),
                                           path(std::string(256, 'n')),
                                           std::string(4096, '/'),
                                           root_.path() + std::string(4000, '/') + "file"};
};

TEST_F(NotifyCompare, Open) {
  const std::vector<int> flags = {O_RDONLY,
                                  O_WRONLY,
                                  O_RDWR | O_APPEND,
                                  O_RDONLY | O_CLOEXEC,
                                  O_RDONLY | O_DIRECTORY,
                                  O_RDONLY | O_NOFOLLOW,
                                  O_RDONLY | O_NONBLOCK,
                                  O_PATH,
                                  O_PATH | O_CLOEXEC,
                                  O_PATH | O_NOFOLLOW,
                                  O_PATH | O_DIRECTORY,
                                  O_WRONLY | O_TRUNC};
  expect_same([&](Record& record) {
    for (const std::string& name : names_) {
      for (const int flag : flags) {
        if (name.ends_with("/dir") && flag == (O_WRONLY | O_TRUNC)) continue;
        put_fd(record, raw(SYS_open, name.c_str(), flag, 0));
        put_fd(record, raw(SYS_openat, AT_FDCWD, name.c_str(), flag, 0));
        open_how how{};
        how.flags = static_cast<unsigned>(flag);
        put_fd(record, raw(SYS_openat2, AT_FDCWD, name.c_str(), &how, sizeof how));
      }
    }
  });
}

TEST_F(NotifyCompare, MakingFiles) {
  expect_same([&](Record& record) {
    int number = 0;
    struct stat status{};
    for (const unsigned mask : {0U, 022U, 077U, 0777U}) {
      ::umask(mask);
      for (const unsigned mode : {0600U, 0777U, 0666U}) {
        const std::string name = path("new" + std::to_string(number++));
        put_fd(record, raw(SYS_open, name.c_str(), O_WRONLY | O_CREAT | O_EXCL, mode));
        put_stat(record, ::stat(name.c_str(), &status), status);
        put_fd(record, raw(SYS_open, name.c_str(), O_WRONLY | O_CREAT | O_EXCL, mode));
        const std::string other = path("new" + std::to_string(number++));
        put_fd(record, raw(SYS_creat, other.c_str(), mode));
        put_stat(record, ::stat(other.c_str(), &status), status);
        put_fd(record, raw(SYS_openat, AT_FDCWD, path("dir").c_str(), O_TMPFILE | O_RDWR, mode));
      }
    }
  });
}

TEST_F(NotifyCompare, RelativeToDescriptorsAndTheWorkingDirectory) {
  expect_same([&](Record& record) {
    record.result(::chdir(path("dir").c_str()));
    const int directory = static_cast<int>(raw(SYS_open, path("dir").c_str(), O_RDONLY));
    const int pathless = static_cast<int>(raw(SYS_open, path("dir").c_str(), O_PATH));
    const int file = static_cast<int>(raw(SYS_open, path("file").c_str(), O_RDONLY));
    int ends[2];
    record.result(::pipe(ends));
    for (const int at : {directory, pathless, file, ends[0], -1, 999, AT_FDCWD}) {
      for (const char* name : {"inner", "../file", "nothing", "", ".", "..", "../dirlink/inner"}) {
        struct stat status{};
        char text[64] = {};
        put_fd(record, raw(SYS_openat, at, name, O_RDONLY));
        put_stat(record, raw(SYS_newfstatat, at, name, &status, 0), status);
        record.result(raw(SYS_faccessat, at, name, R_OK));
        record.result(raw(SYS_readlinkat, at, name, text, sizeof text));
      }
    }
    record.result(::chdir(path("dir").c_str()));
    put_fd(record, raw(SYS_open, "inner", O_RDONLY));
    put_fd(record, raw(SYS_open, "../file", O_RDONLY));
    char text[4096] = {};
    record.result(raw(SYS_getcwd, text, sizeof text));
    record.text(text);
    record.result(::fchdir(directory));
    put_fd(record, raw(SYS_open, "inner", O_RDONLY));
  });
}

TEST_F(NotifyCompare, Chdir) {
  expect_same([&](Record& record) {
    for (const std::string& name : names_) {
      record.result(::chdir(name.c_str()));
      char text[4096] = {};
      record.result(raw(SYS_getcwd, text, sizeof text));
      record.text(text);
    }
    record.number(static_cast<long>(open_descriptors().size()));
  });
}

TEST_F(NotifyCompare, Stat) {
  expect_same([&](Record& record) {
    for (const std::string& name : names_) {
      struct {
        struct stat status;
        std::array<char, 64> beyond;
      } memory;
      for (const long number : {SYS_stat, SYS_lstat}) {
        std::memset(&memory, kMarked, sizeof memory);
        put_stat(record, raw(number, name.c_str(), &memory.status), memory.status);
        record.text({memory.beyond.data(), memory.beyond.size()});
      }
      for (const unsigned flags :
           {0U, unsigned{AT_SYMLINK_NOFOLLOW}, unsigned{AT_NO_AUTOMOUNT}, unsigned{AT_EMPTY_PATH},
            unsigned{AT_SYMLINK_FOLLOW}, 1U << 30, 0x2000U, 0x4000U, 0x6000U}) {
        if (name.empty() && flags == AT_EMPTY_PATH) continue;  // is the working directory
        std::memset(&memory, kMarked, sizeof memory);
        put_stat(record, raw(SYS_newfstatat, AT_FDCWD, name.c_str(), &memory.status, flags),
                 memory.status);
        record.text({memory.beyond.data(), memory.beyond.size()});
      }
    }
  });
}

TEST_F(NotifyCompare, StatOfADescriptor) {
  expect_same([&](Record& record) {
    struct stat status{};
    const int file = static_cast<int>(raw(SYS_open, path("file").c_str(), O_RDONLY));
    const int link = static_cast<int>(raw(SYS_open, path("link").c_str(), O_PATH | O_NOFOLLOW));
    for (const int fd : {file, link, -1, 999}) {
      put_stat(record, raw(SYS_newfstatat, fd, "", &status, AT_EMPTY_PATH), status);
    }
    char text[64] = {};
    record.result(raw(SYS_readlinkat, link, "", text, sizeof text));
    record.text(text);
    record.result(raw(SYS_readlinkat, file, "", text, sizeof text));
  });
}

TEST_F(NotifyCompare, Statx) {
  expect_same([&](Record& record) {
    for (const std::string& name : names_) {
      struct {
        struct statx status;
        std::array<char, 64> beyond;
      } memory;
      for (const unsigned mask : {0U, STATX_BASIC_STATS, STATX_ALL, 1U << 31, STATX_TYPE}) {
        for (const unsigned flags : {0U, unsigned{AT_SYMLINK_NOFOLLOW}, 0x2000U, 0x6000U, 1U}) {
          std::memset(&memory, kMarked, sizeof memory);
          record.result(raw(SYS_statx, AT_FDCWD, name.c_str(), flags, mask, &memory.status));
          memory.status.stx_atime = {};
          memory.status.stx_btime = {};
          memory.status.stx_ctime = {};
          memory.status.stx_mtime = {};
          memory.status.stx_ino = 0;
          memory.status.stx_mask &= mask | STATX_BASIC_STATS;  // more may be told than was asked
          record.bytes(std::as_bytes(std::span(&memory, 1)));
        }
      }
    }
  });
}

TEST_F(NotifyCompare, Access) {
  expect_same([&](Record& record) {
    for (const std::string& name : names_) {
      for (const int mode : {F_OK, R_OK, W_OK, R_OK | W_OK, 8, -1}) {
        record.result(raw(SYS_access, name.c_str(), mode));
        record.result(raw(SYS_faccessat, AT_FDCWD, name.c_str(), mode, 0x7fff));
        for (const unsigned flags : {0U, unsigned{AT_SYMLINK_NOFOLLOW}, unsigned{AT_EACCESS}, 1U}) {
          record.result(raw(SYS_faccessat2, AT_FDCWD, name.c_str(), mode, flags));
        }
      }
    }
  });
}

TEST_F(NotifyCompare, Readlink) {
  expect_same([&](Record& record) {
    for (const std::string& name : names_) {
      for (const int size : {-1, 0, 1, 3, 4, 5, 64, INT32_MAX}) {
        std::array<char, 64> memory;
        memory.fill(kMarked);
        record.result(raw(SYS_readlink, name.c_str(), memory.data(), size));
        record.text({memory.data(), memory.size()});
        record.result(raw(SYS_readlinkat, AT_FDCWD, name.c_str(), memory.data(), size));
      }
    }
  });
}

// openat2's structure may be of another size than the kernel's.
TEST_F(NotifyCompare, OpenHowOfEverySize) {
  expect_same([&](Record& record) {
    alignas(8) std::array<unsigned char, 8192> memory;
    const std::string file = path("file");
    for (const std::size_t size :
         {0UL, 1UL, 23UL, 24UL, 25UL, 32UL, 4095UL, 4096UL, 4097UL, 8192UL, ~0UL}) {
      for (const std::size_t garbage : {0UL, 24UL, 31UL, 4095UL, 4096UL}) {
        memory.fill(0);
        open_how how{};
        how.flags = O_CLOEXEC;
        std::memcpy(memory.data(), &how, sizeof how);
        if (garbage != 0) memory.at(garbage) = 1;
        put_fd(record, raw(SYS_openat2, AT_FDCWD, file.c_str(), memory.data(), size));
      }
    }
    const auto with = [&](std::uint64_t flags, std::uint64_t mode, std::uint64_t resolve) {
      open_how how{};
      how.flags = flags;
      how.mode = mode;
      how.resolve = resolve;
      put_fd(record, raw(SYS_openat2, AT_FDCWD, file.c_str(), &how, sizeof how));
    };
    with(O_RDONLY, 0600, 0);
    with(1ULL << 40, 0, 0);
    with(1U << 30, 0, 0);
    with(O_CREAT | O_WRONLY, 010000, 0);
    with(O_CREAT | O_WRONLY, 0600, 0);
    with(O_PATH | O_WRONLY, 0, 0);
    with(O_PATH | O_APPEND, 0, 0);
    with(0100000 | O_RDONLY, 0, 0);
    with(O_RDONLY, 0, 1ULL << 50);
    with(O_RDONLY, 0, RESOLVE_BENEATH);
    with(O_RDONLY, 0, RESOLVE_BENEATH | RESOLVE_IN_ROOT);
    with(O_RDONLY, 0, RESOLVE_NO_SYMLINKS);
    with(O_RDONLY, 0, RESOLVE_NO_MAGICLINKS);
  });
}

TEST_F(NotifyCompare, ResolveFlags) {
  expect_same([&](Record& record) {
    const int root = static_cast<int>(raw(SYS_open, root_.path().c_str(), O_RDONLY));
    for (const char* name : {"file", "link", "dir/inner", "dir/../file", "dirlink/inner", "../x",
                             "/file", "/dir/../../file", "/", "."}) {
      for (const unsigned resolve : std::initializer_list<unsigned>{
               0U, RESOLVE_BENEATH, RESOLVE_IN_ROOT, RESOLVE_NO_SYMLINKS, RESOLVE_NO_MAGICLINKS}) {
        const bool leaves = std::strstr(name, "..") == name || *name == '/';
        if (leaves && resolve != RESOLVE_BENEATH && resolve != RESOLVE_IN_ROOT) continue;
        open_how how{};
        how.resolve = resolve;
        put_fd(record, raw(SYS_openat2, root, name, &how, sizeof how));
      }
    }
  });
}

TEST_F(NotifyCompare, UnixSocketWithNobodyBehindIt) {
  const std::string socket = path("socket");
  const Recorded body = [&](Record& record) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, socket.c_str(), sizeof address.sun_path - 1);
    const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
    record.result(fd);
    for (const int size : {-1, 0, 1, 2, static_cast<int>(sizeof address), 129, INT32_MAX}) {
      record.result(raw(SYS_connect, fd, &address, size));
    }
    for (const int other : {-1, 999}) {
      record.result(raw(SYS_connect, other, &address, sizeof address));
    }
  };
  rules_ = "connect { unix: \"" + root_.path() + "/**\" }\n";
  expect_same(body);
}

}  // namespace
}  // namespace torno::notify::test
