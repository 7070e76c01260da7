#include "broker/notify/target.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>

namespace torno::notify {
namespace {

constexpr std::size_t kPage = 4096;
constexpr unsigned kOfThread = O_EXCL;  // PIDFD_THREAD, newer than this system's headers
// Most paths are shorter, and no page's end is crossed for nothing.
constexpr std::size_t kFirstPiece = 256;

void* pointer(std::uint64_t address) {
  return reinterpret_cast<void*>(static_cast<std::uintptr_t>(address));
}

using ProcPath = std::array<char, 64>;

ProcPath proc_path(pid_t thread, const char* entry) {
  ProcPath path;
  std::snprintf(path.data(), path.size(), "/proc/%d/%s", thread, entry);
  return path;
}

// /proc/PID/status, whose lines are "Name:\tVALUE".
class Status {
 public:
  explicit Status(pid_t thread) {
    const Fd file(::open(proc_path(thread, "status").data(), O_RDONLY | O_CLOEXEC));
    const ssize_t size = file ? ::read(file.get(), buffer_.data(), buffer_.size()) : 0;
    if (size > 0) text_ = {buffer_.data(), static_cast<std::size_t>(size)};
  }

  std::optional<std::uint64_t> number(std::string_view name, int base) const {
    const std::string_view value = line(name);
    return parse(value, base);
  }

  // Of several, as NSpid has one for each namespace.
  std::optional<std::uint64_t> last_number(std::string_view name) const {
    const std::string_view value = line(name);
    return parse(value.substr(value.find_last_of(" \t") + 1), 10);
  }

  // Does the line hold one number, four times? It is the real, effective, saved and file system's.
  bool is_same_four_times(std::string_view name) const {
    const std::string_view value = line(name);
    const std::string number(value.substr(0, value.find('\t')));
    return !number.empty() && value == number + '\t' + number + '\t' + number + '\t' + number;
  }

 private:
  // The value; empty when there is none.
  std::string_view line(std::string_view name) const {
    std::string_view text = text_;
    while (!text.empty()) {
      std::string_view line = text.substr(0, text.find('\n'));
      text.remove_prefix(std::min(text.size(), line.size() + 1));
      if (!line.starts_with(name) || line.size() <= name.size() || line[name.size()] != ':') {
        continue;
      }
      line.remove_prefix(name.size() + 1);
      while (line.starts_with('\t')) line.remove_prefix(1);
      return line;
    }
    return {};
  }

  static std::optional<std::uint64_t> parse(std::string_view text, int base) {
    std::uint64_t value = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value, base);
    return parsed.ec == std::errc() ? std::optional(value) : std::nullopt;
  }

  std::array<char, 4096> buffer_;
  std::string_view text_;
};

}  // namespace

std::expected<std::string_view, int> Target::text(std::uint64_t address,
                                                  std::span<char> buffer) const {
  std::size_t size = 0;
  std::size_t piece = kFirstPiece;
  while (size < buffer.size()) {
    const std::uint64_t at = address + size;
    const std::size_t to_page_end = kPage - static_cast<std::size_t>(at % kPage);
    const std::size_t length = std::min({piece, to_page_end, buffer.size() - size});
    iovec here{buffer.data() + size, length};
    iovec there{pointer(at), length};
    const ssize_t got = ::process_vm_readv(thread_, &here, 1, &there, 1, 0);
    if (got <= 0) return std::unexpected(got < 0 ? errno : EFAULT);
    const auto* end = static_cast<const char*>(
        std::memchr(buffer.data() + size, '\0', static_cast<std::size_t>(got)));
    if (end != nullptr) {
      return std::string_view(buffer.data(), static_cast<std::size_t>(end - buffer.data()));
    }
    size += static_cast<std::size_t>(got);
    piece = kPage;
  }
  return std::unexpected(ENAMETOOLONG);
}

int Target::read(std::uint64_t address, std::span<std::byte> into) const {
  iovec here{into.data(), into.size()};
  iovec there{pointer(address), into.size()};
  const ssize_t got = ::process_vm_readv(thread_, &here, 1, &there, 1, 0);
  return got == static_cast<ssize_t>(into.size()) ? 0 : EFAULT;
}

// Not by /proc/PID/mem, which writes to memory that is read-only: a sandboxee could have its own
// code overwritten, past MDWE.
int Target::write(std::uint64_t address, std::span<const std::byte> from) const {
  iovec here{const_cast<std::byte*>(from.data()), from.size()};
  iovec there{pointer(address), from.size()};
  const ssize_t put = ::process_vm_writev(thread_, &here, 1, &there, 1, 0);
  return put == static_cast<ssize_t>(from.size()) ? 0 : EFAULT;
}

pid_t Target::process() const {
  // The first thread's number is the process's, and most calls come from there.
  if (::syscall(SYS_tgkill, thread_, thread_, 0) == 0) return thread_;
  return static_cast<pid_t>(Status(thread_).number("Tgid", 10).value_or(0));
}

pid_t Target::number_inside() const {
  return static_cast<pid_t>(Status(thread_).last_number("NStgid").value_or(0));
}

std::expected<Fd, int> Target::descriptor(int number) const {
  if (number < 0) return std::unexpected(EBADF);
  Fd process(static_cast<int>(::syscall(SYS_pidfd_open, thread_, kOfThread)));
  // Before Linux 6.9: by the first thread, which has no descriptors any more once it has ended.
  if (!process && errno == EINVAL) {
    process.reset(static_cast<int>(::syscall(SYS_pidfd_open, this->process(), 0)));
  }
  if (!process) return std::unexpected(errno);
  Fd duplicate(static_cast<int>(::syscall(SYS_pidfd_getfd, process.get(), number, 0)));
  if (!duplicate) return std::unexpected(errno);
  return duplicate;
}

std::expected<std::string_view, int> Target::working_directory(std::span<char> buffer) const {
  const ssize_t size = ::readlink(proc_path(thread_, "cwd").data(), buffer.data(), buffer.size());
  if (size < 0) return std::unexpected(errno);
  if (static_cast<std::size_t>(size) == buffer.size()) return std::unexpected(ENAMETOOLONG);
  const std::string_view path(buffer.data(), static_cast<std::size_t>(size));
  if (!path.starts_with('/')) return std::unexpected(ENOENT);  // out of the broker's reach
  return path;
}

bool Target::has_signal() const {
  const Status status(thread_);
  const auto set = [&status](std::string_view name) { return status.number(name, 16).value_or(0); };
  return ((set("SigPnd") | set("ShdPnd")) & ~set("SigBlk") & ~set("SigIgn")) != 0;
}

bool Target::has_one_identity() const {
  const Status status(thread_);
  return status.number("CapPrm", 16) == 0 && status.is_same_four_times("Uid") &&
         status.is_same_four_times("Gid");
}

bool Target::has_lost_its_directory() const {
  struct stat directory{};
  return ::stat(proc_path(thread_, "cwd").data(), &directory) == 0 && directory.st_nlink == 0;
}

std::expected<std::uint32_t, int> Target::umask() const {
  const auto mask = Status(thread_).number("Umask", 8);
  if (!mask) return std::unexpected(ESRCH);
  return static_cast<std::uint32_t>(*mask);
}

}  // namespace torno::notify
