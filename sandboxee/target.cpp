#include "sandboxee/target.h"

#include <fcntl.h>
#include <linux/openat2.h>

#include "sandboxee/limits.h"
#include "sandboxee/user_memory.h"

namespace torno {
namespace {

// Text that is read from the front. The program may change the bytes while they are read: it then
// asks for something else, and the broker answers what it was asked.
struct Text {
  const char* at;
  std::size_t size;

  bool skip(const char* prefix, std::size_t length) {
    if (size < length || __builtin_memcmp(at, prefix, length) != 0) return false;
    advance(length);
    return true;
  }
  template <std::size_t N>
  bool skip(const char (&prefix)[N]) {
    return skip(prefix, N - 1);
  }
  void advance(std::size_t count) {
    at += count;
    size -= count;
  }
  bool at_slash() const { return size > 0 && *at == '/'; }
  bool at_digit() const { return size > 0 && *at >= '0' && *at <= '9'; }

  // A decimal number as the kernel prints it; -1 when there is none.
  int number() {
    if (!at_digit()) return -1;
    const bool leading_zero = *at == '0';
    int value = 0;
    while (at_digit()) {
      if (__builtin_mul_overflow(value, 10, &value) ||
          __builtin_add_overflow(value, *at - '0', &value)) {
        return -1;
      }
      advance(1);
      if (leading_zero && at_digit()) return -1;
    }
    return value;
  }
};

bool skip_own_fd_directory(Text& text) {
  if (text.skip("/dev/fd/")) return true;
  if (!text.skip("/proc/")) return false;
  if (text.skip("self/fd/") || text.skip("thread-self/fd/")) return true;
  return text.at_digit() && text.number() == raw::call(__NR_getpid) && text.skip("/fd/");
}

// The number in a path that leads through a descriptor of the process itself, or -1. What follows
// it is left in `text`.
int own_fd(Text& text) {
  static constexpr const char* kStandard[] = {"/dev/stdin", "/dev/stdout", "/dev/stderr"};
  static constexpr std::size_t kLengths[] = {10, 11, 11};
  for (int fd = 0; fd < 3; ++fd) {
    if (text.size == kLengths[fd] && text.skip(kStandard[fd], kLengths[fd])) return fd;
  }
  return skip_own_fd_directory(text) ? text.number() : -1;
}

// The target's path without the slashes it begins with, relative now.
void skip_slashes(Text text, Target& target) {
  while (text.size > 1 && text.at_slash()) text.advance(1);
  target.path = text.at_slash() ? "." : text.at;
  target.path_size = text.size;
}

long find_own_fd(Text rest, int fd, Target& target) {
  if (is_reserved(fd)) return -ENOENT;
  target.fd = fd;
  target.fd_from_path = true;
  if (rest.size == 0) {
    target.directory = torno_wire_Directory_DIRECTORY_SELF_FD;
    return 0;
  }
  // "/dev/fd/3/name" is "name" in the directory that descriptor 3 is.
  target.directory = torno_wire_Directory_DIRECTORY_FD;
  skip_slashes(rest, target);
  return 0;
}

}  // namespace

long add_cwd(Slot& slot, Target& target) {
  const long size = raw::call(__NR_getcwd, slot.cwd, sizeof slot.cwd);
  if (size < 0) return size;
  if (slot.cwd[0] != '/') return -ENOENT;  // "(unreachable)": the root was changed away from it
  target.directory = torno_wire_Directory_DIRECTORY_CWD;
  target.cwd_size = static_cast<std::size_t>(size) - 1;
  return 0;
}

long find_target(Slot& slot, int directory, raw::Word path, Empty empty, Target& target,
                 std::uint64_t resolve) {
  const long length = path_length(path);
  if (length < 0) return length;
  if (length == 0 && empty == Empty::kRefused) return -ENOENT;
  if (length == 0 && empty == Empty::kLater) return add_cwd(slot, target);
  target.path = reinterpret_cast<const char*>(path);
  target.path_size = static_cast<std::size_t>(length);

  Text text{target.path, target.path_size};
  if ((resolve & RESOLVE_IN_ROOT) != 0 && text.at_slash()) {
    // "/" is the directory itself there.
    skip_slashes(text, target);
  } else if (text.at_slash()) {
    const int fd = own_fd(text);
    const bool through = text.at_slash() && resolve == 0;
    if (fd >= 0 && (text.size == 0 || through)) return find_own_fd(text, fd, target);
    target.directory = torno_wire_Directory_DIRECTORY_NONE;
    return 0;
  }
  if (directory == AT_FDCWD) return add_cwd(slot, target);
  return find_descriptor(directory, target);
}

long find_second_target(Slot& slot, int directory, raw::Word path, Target& target) {
  Target second;
  const long error = find_target(slot, directory, path, Empty::kLater, second);
  if (error != 0) return error;
  target.second_path = second.path;
  target.second_path_size = second.path_size;
  target.second_directory = second.directory;
  target.second_fd = second.fd;
  target.second_fd_from_path = second.fd_from_path;
  // One working directory for both; what was asked last stands in the slot.
  if (second.cwd_size != 0) target.cwd_size = second.cwd_size;
  return 0;
}

long find_descriptor(int fd, Target& target) {
  if (fd < 0 || is_reserved(fd)) return -EBADF;
  target.directory = torno_wire_Directory_DIRECTORY_FD;
  target.fd = fd;
  return 0;
}

}  // namespace torno
