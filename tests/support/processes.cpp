#include "tests/support/processes.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <thread>

namespace torno::test {

int count_fds(pid_t pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/fd";
  if (DIR* directory = ::opendir(path.c_str())) {
    int count = 0;
    while (const dirent* entry = ::readdir(directory)) {
      if (entry->d_name[0] != '.') ++count;
    }
    ::closedir(directory);
    return count;
  }
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0 || status.st_size == 0) return -1;
  return static_cast<int>(status.st_size);
}

bool root_is_a_mount() {
  struct statx root{};
  return ::statx(AT_FDCWD, "/", 0, 0, &root) == 0 &&
         (root.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

pid_t fork_alone() {
  return static_cast<pid_t>(::syscall(SYS_fork));
}

bool eventually(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

}  // namespace torno::test
