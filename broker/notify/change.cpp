// What is changed of a file: chmod, chown, utimensat, truncate, and their like; and statfs, whose
// result goes back.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/vfs.h>
#include <utime.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <span>

#include "broker/notify/place.h"

namespace torno::notify {
namespace {

constexpr unsigned kFlags = AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH;
constexpr long kNoNanoseconds = UINT32_MAX;  // what no time has: the kernel says EINVAL
constexpr long kMicrosecondsASecond = 1'000'000;
constexpr long kNanosecondsAMicrosecond = 1000;

// At a path, or at the descriptor itself.
long read_at(Call& call, Texts& texts, int directory, std::uint64_t path, unsigned flags) {
  if ((flags & ~kFlags) != 0) return -EINVAL;
  call.request.flags = flags;
  return find_place(call, texts, directory, path,
                    (flags & AT_EMPTY_PATH) != 0 ? Empty::kAllowed : Empty::kRefused);
}

// A call that takes a descriptor, which one with O_PATH is not to it.
long read_descriptor(Call& call, int number) {
  call.request.flags = AT_EMPTY_PATH;
  if (const long error = find_descriptor(call, number); error != 0) return error;
  const int flags = ::fcntl(call.fd.get(), F_GETFL);
  return flags < 0 || (flags & O_PATH) != 0 ? -EBADF : 0;
}

void read_owner(Call& call, unsigned user, unsigned group) {
  call.request.user = user;
  call.request.group = group;
}

template <typename Value>
int read_value(const Call& call, std::uint64_t address, Value& value) {
  return call.target.read(address, std::as_writable_bytes(std::span(&value, 1)));
}

void set_now(Call& call) {
  call.request.times = {timespec{0, UTIME_NOW}, timespec{0, UTIME_NOW}};
}

bool is_part(long nanoseconds) {
  return nanoseconds >= 0 && nanoseconds <= UTIME_NOW;
}

// From two timeval at `address`, as utimes has them.
long read_timevals(Call& call, std::uint64_t address) {
  if (address == 0) {
    set_now(call);
    return 0;
  }
  std::array<timeval, 2> given{};
  if (read_value(call, address, given) != 0) return -EFAULT;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const timeval& time = given[i];
    if (time.tv_usec < 0 || time.tv_usec >= kMicrosecondsASecond) return -EINVAL;
    call.request.times[i] = {time.tv_sec, time.tv_usec * kNanosecondsAMicrosecond};
  }
  return 0;
}

long read_timespecs(Call& call, std::uint64_t address) {
  if (address == 0) {
    set_now(call);
    return 0;
  }
  if (read_value(call, address, call.request.times) != 0) return -EFAULT;
  for (timespec& time : call.request.times) {
    if (!is_part(time.tv_nsec)) time.tv_nsec = kNoNanoseconds;
  }
  return 0;
}

// Without a path the descriptor is meant.
long read_times_at(Call& call, Texts& texts, int directory, std::uint64_t path, unsigned flags) {
  if (path != 0 || directory == AT_FDCWD) return read_at(call, texts, directory, path, flags);
  return flags != 0 ? -EINVAL : read_descriptor(call, directory);
}

}  // namespace

long read_chmod(Call& call, Texts& texts) {
  call.request.mode = call.as_unsigned(1);
  return read_at(call, texts, AT_FDCWD, call.word(0), 0);
}

long read_fchmod(Call& call, Texts&) {
  call.request.mode = call.as_unsigned(1);
  return read_descriptor(call, call.as_int(0));
}

// The older call has three arguments: libc's flags never reach it.
long read_fchmodat(Call& call, Texts& texts) {
  call.request.mode = call.as_unsigned(2);
  return read_at(call, texts, call.as_int(0), call.word(1), 0);
}

long read_fchmodat2(Call& call, Texts& texts) {
  call.request.mode = call.as_unsigned(2);
  return read_at(call, texts, call.as_int(0), call.word(1), call.as_unsigned(3));
}

long read_chown(Call& call, Texts& texts) {
  read_owner(call, call.as_unsigned(1), call.as_unsigned(2));
  return read_at(call, texts, AT_FDCWD, call.word(0), 0);
}

long read_lchown(Call& call, Texts& texts) {
  read_owner(call, call.as_unsigned(1), call.as_unsigned(2));
  return read_at(call, texts, AT_FDCWD, call.word(0), AT_SYMLINK_NOFOLLOW);
}

long read_fchown(Call& call, Texts&) {
  read_owner(call, call.as_unsigned(1), call.as_unsigned(2));
  return read_descriptor(call, call.as_int(0));
}

long read_fchownat(Call& call, Texts& texts) {
  read_owner(call, call.as_unsigned(2), call.as_unsigned(3));
  return read_at(call, texts, call.as_int(0), call.word(1), call.as_unsigned(4));
}

long read_utime(Call& call, Texts& texts) {
  set_now(call);
  if (call.word(1) != 0) {
    utimbuf given{};
    if (read_value(call, call.word(1), given) != 0) return -EFAULT;
    call.request.times = {timespec{given.actime, 0}, timespec{given.modtime, 0}};
  }
  return read_at(call, texts, AT_FDCWD, call.word(0), 0);
}

long read_utimes(Call& call, Texts& texts) {
  const long error = read_timevals(call, call.word(1));
  return error != 0 ? error : read_at(call, texts, AT_FDCWD, call.word(0), 0);
}

long read_futimesat(Call& call, Texts& texts) {
  const long error = read_timevals(call, call.word(2));
  return error != 0 ? error : read_times_at(call, texts, call.as_int(0), call.word(1), 0);
}

long read_utimensat(Call& call, Texts& texts) {
  if (const long error = read_timespecs(call, call.word(2)); error != 0) return error;
  return read_times_at(call, texts, call.as_int(0), call.word(1), call.as_unsigned(3));
}

long read_truncate(Call& call, Texts& texts) {
  const auto size = static_cast<std::int64_t>(call.word(1));
  if (size < 0) return -EINVAL;
  call.request.size = call.word(1);
  return read_at(call, texts, AT_FDCWD, call.word(0), 0);
}

long give_statfs(const Call& call, const files::Outcome& outcome) {
  return -call.target.write(call.word(1), std::as_bytes(std::span(&outcome.file_system, 1)));
}

}  // namespace torno::notify
