#include "broker/launch/cgroup_folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <memory>
#include <sstream>
#include <string_view>
#include <vector>

namespace torno::launch {
namespace {

constexpr std::string_view kPrefix = "torno-";

std::string read_all(const Fd& folder, const char* name) {
  const Fd file(::openat(folder.get(), name, O_RDONLY | O_CLOEXEC));
  std::string text;
  std::array<char, 4096> block;
  for (ssize_t size = 0; file && (size = ::read(file.get(), block.data(), block.size())) > 0;) {
    text.append(block.data(), static_cast<std::size_t>(size));
  }
  return text;
}

std::vector<pid_t> processes(const Fd& folder) {
  std::istringstream numbers(read_all(folder, "cgroup.procs"));
  std::vector<pid_t> all;
  for (pid_t number = 0; numbers >> number;) all.push_back(number);
  return all;
}

// v2 kills at once, from Linux 5.14 on. Else one by one: a number that is still listed once its
// pidfd is open was not given to a process elsewhere.
void kill_processes(const Fd& folder, CgroupVersion version) {
  if (version == CgroupVersion::kV2 && write_value(folder, "cgroup.kill", "1")) return;
  for (const pid_t number : processes(folder)) {
    const Fd process(static_cast<int>(::syscall(SYS_pidfd_open, number, 0)));
    const auto now = processes(folder);
    if (!process || std::ranges::find(now, number) == now.end()) continue;
    ::syscall(SYS_pidfd_send_signal, process.get(), SIGKILL, nullptr, 0);
  }
}

// Of "torno-PID-RANDOM"; 0: it is no such name.
pid_t launcher_of(std::string_view name) {
  if (!name.starts_with(kPrefix)) return 0;
  name.remove_prefix(kPrefix.size());
  pid_t launcher = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), launcher);
  const bool whole = error == std::errc() && end != name.data() + name.size() && *end == '-';
  return whole && launcher > 0 ? launcher : 0;
}

bool is_ours(const Fd& folder) {
  struct stat status{};
  return ::fstat(folder.get(), &status) == 0 && status.st_uid == ::geteuid();
}

}  // namespace

std::string cgroup_name() {
  std::array<unsigned char, 8> random{};
  // A name that is taken already is no danger, only an error.
  (void)!::getrandom(random.data(), random.size(), 0);
  std::string name = std::string(kPrefix) + std::to_string(::getpid()) + "-";
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (const unsigned char byte : random) {
    name += kDigits[byte >> 4];
    name += kDigits[byte & 15];
  }
  return name;
}

Fd open_locked(const std::string& path) {
  Fd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (folder && ::flock(folder.get(), LOCK_EX | LOCK_NB) != 0) folder.reset();
  return folder;
}

bool write_value(const Fd& folder, const char* file, const std::string& value) {
  const Fd opened(::openat(folder.get(), file, O_WRONLY | O_CLOEXEC));
  return opened &&
         ::write(opened.get(), value.data(), value.size()) == static_cast<ssize_t>(value.size());
}

std::uint64_t read_count(const Fd& folder, const char* file, const std::string& key) {
  std::istringstream lines(read_all(folder, file));
  std::string word;
  for (std::uint64_t number = 0; lines >> word >> number;) {
    if (word == key) return number;
  }
  return 0;
}

bool end_cgroup(const Fd& folder, const std::string& path, CgroupVersion version) {
  constexpr int kTries = 1000;
  constexpr int kBetween = 2;  // milliseconds
  for (int i = 0; i < kTries; ++i) {
    if (::rmdir(path.c_str()) == 0 || errno == ENOENT) return true;
    if (errno != EBUSY) return false;
    kill_processes(folder, version);
    ::poll(nullptr, 0, kBetween);
  }
  return false;
}

void remove_stale_cgroups(const std::string& parent, CgroupVersion version) {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(parent.c_str()), ::closedir);
  if (directory == nullptr) return;
  while (const dirent* entry = ::readdir(directory.get())) {
    const pid_t launcher = launcher_of(entry->d_name);
    // Its number may be alive elsewhere, in another pid namespace: the lock tells.
    if (launcher == 0 || ::kill(launcher, 0) == 0 || errno != ESRCH) continue;
    const std::string path = parent + "/" + entry->d_name;
    const Fd folder = open_locked(path);
    if (folder && is_ours(folder)) end_cgroup(folder, path, version);
  }
}

}  // namespace torno::launch
