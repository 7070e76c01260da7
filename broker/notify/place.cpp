#include "broker/notify/place.h"

#include <fcntl.h>
#include <linux/openat2.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace torno::notify {
namespace {

using Base = files::Place::Base;

bool skip(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// A decimal number as the kernel prints it.
std::optional<int> take_number(std::string_view& text) {
  const std::string_view digits = text.substr(0, text.find_first_not_of("0123456789"));
  if (digits.empty() || (digits.size() > 1 && digits.front() == '0')) return std::nullopt;
  int number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(digits.size());
  return number;
}

bool skip_own_fd_directory(std::string_view& text, pid_t process) {
  if (skip(text, "/dev/fd/")) return true;
  if (!skip(text, "/proc/")) return false;
  if (skip(text, "self/fd/") || skip(text, "thread-self/fd/")) return true;
  const auto number = take_number(text);
  return number && *number == process && skip(text, "/fd/");
}

// The number in a path that leads through a descriptor of the process itself. What follows it is
// left in `text`.
std::optional<int> own_fd(std::string_view& text, pid_t process) {
  constexpr std::string_view kStandard[] = {"/dev/stdin", "/dev/stdout", "/dev/stderr"};
  const auto* const named = std::ranges::find(kStandard, text);
  if (named != std::end(kStandard)) {
    text = {};
    return static_cast<int>(named - std::begin(kStandard));
  }
  if (!skip_own_fd_directory(text, process)) return std::nullopt;
  return take_number(text);
}

// Without the slashes it begins with: relative now.
std::string_view relative(std::string_view path) {
  path.remove_prefix(std::min(path.find_first_not_of('/'), path.size()));
  return path.empty() ? std::string_view(".") : path;
}

long take_fd(Call& call, int number, int missing) {
  auto fd = call.target.descriptor(number);
  if (!fd) return fd.error() == EBADF ? -missing : -fd.error();
  call.fd = std::move(*fd);
  call.place.fd = call.fd.get();
  return 0;
}

long at_directory(Call& call, Texts& texts, int directory, std::string_view path) {
  call.place.path = path;
  if (directory == AT_FDCWD) return add_cwd(call, texts);
  call.place.base = Base::kFd;
  return take_fd(call, directory, EBADF);
}

long at_own_fd(Call& call, std::string_view path, std::string_view rest, int number) {
  call.place.base = rest.empty() ? Base::kSelfFd : Base::kFd;
  // "/dev/fd/3/name" is "name" in the directory that descriptor 3 is.
  call.place.path = rest.empty() ? path : relative(rest);
  return take_fd(call, number, ENOENT);
}

}  // namespace

long add_cwd(Call& call, Texts& texts) {
  const auto cwd = call.target.working_directory(texts.cwd);
  if (!cwd) return -cwd.error();
  call.place.base = Base::kCwd;
  call.place.cwd = *cwd;
  return 0;
}

namespace {

long find(Call& call, Texts& texts, std::span<char> buffer, int directory, std::uint64_t address,
          Empty empty, std::uint64_t resolve) {
  const auto path = call.target.text(address, buffer);
  if (!path) return -path.error();
  if (path->empty() && empty == Empty::kRefused) return -ENOENT;
  if (path->empty() && empty == Empty::kLater) {
    call.place.base = Base::kAbsolute;
    call.place.path = {};
    return 0;
  }
  const bool absolute = path->starts_with('/');
  if (absolute && (resolve & RESOLVE_IN_ROOT) != 0) {
    // "/" is the directory itself there.
    return at_directory(call, texts, directory, relative(*path));
  }
  if (!absolute) return at_directory(call, texts, directory, *path);
  std::string_view rest = *path;
  const auto number = own_fd(rest, call.number);
  const bool through = rest.starts_with('/') && resolve == 0;
  if (number && (rest.empty() || through)) return at_own_fd(call, *path, rest, *number);
  call.place.base = Base::kAbsolute;
  call.place.path = *path;
  return 0;
}

}  // namespace

long find_place(Call& call, Texts& texts, int directory, std::uint64_t address, Empty empty,
                std::uint64_t resolve) {
  return find(call, texts, texts.path, directory, address, empty, resolve);
}

long find_second_place(Call& call, Texts& texts, int directory, std::uint64_t address) {
  std::swap(call.place, call.second);
  std::swap(call.fd, call.second_fd);
  const long error = find(call, texts, texts.second_path, directory, address, Empty::kLater, 0);
  std::swap(call.place, call.second);
  std::swap(call.fd, call.second_fd);
  // One working directory for both; what was read last stands in the buffer.
  if (call.second.base == Base::kCwd && call.place.base == Base::kCwd) {
    call.place.cwd = call.second.cwd;
  }
  return error;
}

long find_descriptor(Call& call, int number) {
  call.place.base = Base::kFd;
  call.place.path = {};
  return take_fd(call, number, EBADF);
}

}  // namespace torno::notify
