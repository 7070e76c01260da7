// Flags and modes of open, openat and openat2: what the kernel makes of them before the seal, the
// library makes of them afterwards.
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/sandboxee/scenario.h"

using namespace torno::test;

namespace {

constexpr std::uint64_t kLargeFile = 0100000;  // O_LARGEFILE, which is 0 in 64-bit headers
constexpr std::uint64_t kTmpFileBit = O_TMPFILE & ~O_DIRECTORY;
constexpr std::uint64_t kUnknown = 0x40000000;

// Not here, for the answers are the broker's own: access mode 3, O_CREAT with O_DIRECTORY (kernels
// differ), and set-user-ID bits for a file that is made.
constexpr std::uint64_t kFlags[] = {
    O_RDONLY,
    O_RDONLY | kUnknown,
    O_WRONLY | kUnknown | 0x80000000,
    O_RDWR | O_APPEND | O_NONBLOCK | O_SYNC | O_CLOEXEC,
    O_RDWR | O_DSYNC | O_NOATIME | O_NOCTTY | O_ASYNC,
    O_RDWR | O_EXCL | kLargeFile,
    O_RDONLY | O_TRUNC,
    O_RDONLY | O_DIRECTORY,
    O_RDONLY | O_NOFOLLOW,
    O_PATH,
    O_PATH | O_NOFOLLOW | O_CLOEXEC,
    O_PATH | O_DIRECTORY,
    O_PATH | kLargeFile,
    O_PATH | O_WRONLY | O_TRUNC | O_APPEND,
    O_PATH | O_RDWR | O_CREAT | O_EXCL,
    O_PATH | O_NONBLOCK | kUnknown,
    O_PATH | O_TMPFILE | O_RDWR,
    O_WRONLY | O_CREAT,
    O_RDWR | O_CREAT | O_EXCL | kUnknown,
    O_RDWR | kTmpFileBit,
    O_RDWR | kTmpFileBit | O_CREAT,
    O_RDONLY | O_TMPFILE,
    O_WRONLY | O_TMPFILE,
    O_RDWR | O_TMPFILE | O_EXCL | O_CLOEXEC,
    std::uint64_t{1} << 40,
};
constexpr std::uint64_t kModes[] = {0, 0640, 0100640, std::uint64_t{1} << 40};

enum class Call { kOpen, kOpenat, kOpenat2 };
constexpr Call kCalls[] = {Call::kOpen, Call::kOpenat, Call::kOpenat2};

int open_by(Call call, const std::string& path, std::uint64_t flags, std::uint64_t mode) {
  switch (call) {
    case Call::kOpen:
      return static_cast<int>(syscall(SYS_open, path.c_str(), flags, mode));
    case Call::kOpenat:
      return static_cast<int>(syscall(SYS_openat, AT_FDCWD, path.c_str(), flags, mode));
    case Call::kOpenat2:
      break;
  }
  open_how how{};
  how.flags = flags;
  how.mode = mode;
  return static_cast<int>(syscall(SYS_openat2, AT_FDCWD, path.c_str(), &how, sizeof how));
}

struct Answer {
  int error = 0;
  int status_flags = 0;
  int descriptor_flags = 0;
  mode_t mode = 0;
  off_t size = 0;
  bool operator==(const Answer&) const = default;
};

Answer answer(int fd) {
  Answer what;
  what.error = fd < 0 ? errno : 0;
  if (fd < 0) return what;
  struct stat status{};
  CHECK(fstat(fd, &status) == 0);
  // What stands in the way was looked at before the file was opened.
  what.status_flags = fcntl(fd, F_GETFL) & ~(O_NOFOLLOW | O_DIRECTORY);
  what.descriptor_flags = fcntl(fd, F_GETFD);
  what.mode = status.st_mode;
  what.size = S_ISDIR(status.st_mode) ? 0 : status.st_size;
  close(fd);
  return what;
}

// Asks everything about a file, a link to it, a directory, and a name that is not there.
std::vector<Answer> ask(const std::string& directory) {
  std::vector<Answer> answers;
  int fresh = 0;
  for (const Call call : kCalls) {
    for (const std::uint64_t flags : kFlags) {
      for (const std::uint64_t mode : kModes) {
        for (const std::string& name : {std::string("/file"), std::string("/link"), std::string(),
                                        "/new" + std::to_string(fresh++)}) {
          answers.push_back(answer(open_by(call, directory + name, flags, mode)));
        }
      }
    }
  }
  return answers;
}

// A folder as ask() finds it.
std::string prepare(const std::string& directory) {
  CHECK(mkdir(directory.c_str(), 0755) == 0);
  const int fd = open((directory + "/file").c_str(), O_WRONLY | O_CREAT, 0600);
  CHECK(write(fd, "hello", 5) == 5);
  close(fd);
  CHECK(symlink("file", (directory + "/link").c_str()) == 0);
  return directory;
}

}  // namespace

SCENARIO(open_takes_flags_and_modes_as_the_kernel_does) {
  umask(022);
  const std::string theirs = prepare(place.writable() + "/kernel");
  const std::string ours = prepare(place.writable() + "/torno");
  const std::vector<Answer> expected = ask(theirs);
  enter("test");
  const std::vector<Answer> got = ask(ours);
  CHECK(expected.size() == got.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (got[i] == expected[i]) continue;
    const std::size_t question = i / 4;
    char text[200];
    std::snprintf(
        text, sizeof text,
        "call %zu flags %llx mode %llo name %zu: errno %d flags %x/%d mode %o size %ld, "
        "not errno %d flags %x/%d mode %o size %ld",
        question / (std::size(kFlags) * std::size(kModes)),
        static_cast<unsigned long long>(kFlags[question / std::size(kModes) % std::size(kFlags)]),
        static_cast<unsigned long long>(kModes[question % std::size(kModes)]), i % 4, got[i].error,
        static_cast<unsigned>(got[i].status_flags), got[i].descriptor_flags, got[i].mode,
        static_cast<long>(got[i].size), expected[i].error,
        static_cast<unsigned>(expected[i].status_flags), expected[i].descriptor_flags,
        expected[i].mode, static_cast<long>(expected[i].size));
    check(false, __FILE__, __LINE__, text, 0);
  }
}
