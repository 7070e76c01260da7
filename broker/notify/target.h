// Target: the thread that waits in a notification: its memory, its process, its descriptors.
//
// Everything here goes by the thread's number, which is another's once the thread is gone. So what
// was learned counts only if the listener says afterwards that the call still waits.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string_view>

#include "broker/base/fd.h"

namespace torno::notify {

class Target {
 public:
  explicit Target(pid_t thread) : thread_(thread) {}

  // The text up to its NUL, read into `buffer`. EFAULT; ENAMETOOLONG when it does not fit.
  std::expected<std::string_view, int> text(std::uint64_t address, std::span<char> buffer) const;

  // 0 or EFAULT. Partly readable or writable memory counts as none; a write may have begun.
  int read(std::uint64_t address, std::span<std::byte> into) const;
  int write(std::uint64_t address, std::span<const std::byte> from) const;

  // The process that the thread is of; 0 when it is gone.
  pid_t process() const;

  // What the process is called in its own pid namespace; 0 when it is gone.
  pid_t number_inside() const;

  // A descriptor of the process, duplicated. EBADF; EPERM when the kernel does not let the broker
  // look into the process.
  std::expected<Fd, int> descriptor(int number) const;

  // Its working directory into `buffer`. An errno value.
  std::expected<std::string_view, int> working_directory(std::span<char> buffer) const;

  // Does a signal wait that it neither holds back nor ignores?
  bool has_signal() const;

  // Is it one user and one group in every respect, without a capability to become others? Then the
  // kernel lets it become nobody else.
  bool has_one_identity() const;

  // Was its working directory deleted?
  bool has_lost_its_directory() const;

  // The mask of modes of the files that it makes.
  std::expected<std::uint32_t, int> umask() const;

 private:
  pid_t thread_;
};

}  // namespace torno::notify
