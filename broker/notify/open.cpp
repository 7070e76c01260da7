// open, creat, openat, openat2; and chdir, whose directory is opened first.
#include <fcntl.h>
#include <linux/openat2.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <span>

#include "broker/notify/place.h"

namespace torno::notify {
namespace {

// O_LARGEFILE is 0 in the headers of a 64-bit libc, but the kernel knows it.
constexpr unsigned kLargeFile = 0100000;
constexpr unsigned kTmpFileBit = O_TMPFILE & ~O_DIRECTORY;
constexpr unsigned kKnownFlags = O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND |
                                 O_NONBLOCK | O_SYNC | O_DSYNC | O_ASYNC | O_DIRECT | O_DIRECTORY |
                                 O_NOFOLLOW | O_NOATIME | O_CLOEXEC | O_PATH | kTmpFileBit;
constexpr unsigned kPathFlags = O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC;
constexpr unsigned kModeBits = 07777;
constexpr std::size_t kPage = 4096;

bool makes_file(std::uint64_t flags) {
  return (flags & (O_CREAT | kTmpFileBit)) != 0;
}

long read_at(Call& call, Texts& texts, int directory, std::uint64_t path, const open_how& how) {
  const long error = find_place(call, texts, directory, path, Empty::kRefused, how.resolve);
  if (error != 0) return error;
  call.request.flags = how.flags;
  call.request.mode = static_cast<std::uint32_t>(how.mode);
  call.request.resolve = how.resolve;
  if (!makes_file(how.flags)) return 0;
  const auto mask = call.target.umask();
  if (!mask) return -mask.error();
  call.request.mode &= ~*mask;
  return 0;
}

// open and openat ignore bits they do not know, and modes of files they do not make.
long read_classic(Call& call, Texts& texts, int directory, std::uint64_t path, unsigned flags,
                  unsigned mode) {
  open_how how{};
  how.flags = flags & kKnownFlags;
  if ((flags & O_PATH) != 0) how.flags &= kPathFlags;
  if (makes_file(how.flags)) how.mode = mode & kModeBits;
  return read_at(call, texts, directory, path, how);
}

// openat2's structure may be larger than ours: what is beyond must be zero.
long read_open_how(const Call& call, std::uint64_t address, std::uint64_t size, open_how& how) {
  if (size < sizeof how) return -EINVAL;
  if (size > kPage) return -E2BIG;
  std::array<std::byte, kPage> bytes;
  const std::span<std::byte> given = std::span(bytes).first(static_cast<std::size_t>(size));
  if (const int error = call.target.read(address, given); error != 0) return -error;
  const auto is_set = [](std::byte byte) { return byte != std::byte{0}; };
  if (std::ranges::any_of(given.subspan(sizeof how), is_set)) return -E2BIG;
  std::memcpy(&how, given.data(), sizeof how);
  return 0;
}

}  // namespace

long read_open(Call& call, Texts& texts) {
  return read_classic(call, texts, AT_FDCWD, call.word(0), call.as_unsigned(1),
                      call.as_unsigned(2));
}

long read_creat(Call& call, Texts& texts) {
  return read_classic(call, texts, AT_FDCWD, call.word(0), O_CREAT | O_WRONLY | O_TRUNC,
                      call.as_unsigned(1));
}

long read_openat(Call& call, Texts& texts) {
  return read_classic(call, texts, call.as_int(0), call.word(1), call.as_unsigned(2),
                      call.as_unsigned(3));
}

long read_openat2(Call& call, Texts& texts) {
  open_how how{};
  const long error = read_open_how(call, call.word(2), call.word(3), how);
  if (error != 0) return error;
  if ((how.flags & O_PATH) != 0 && (how.flags & ~std::uint64_t{kPathFlags}) != 0) return -EINVAL;
  how.flags &= ~std::uint64_t{kLargeFile};
  if ((how.flags & ~std::uint64_t{kKnownFlags}) != 0) return -EINVAL;
  if (how.mode != 0 && !makes_file(how.flags)) return -EINVAL;
  if ((how.mode & ~std::uint64_t{kModeBits}) != 0) return -EINVAL;
  return read_at(call, texts, call.as_int(0), call.word(1), how);
}

long read_chdir(Call& call, Texts& texts) {
  open_how how{};
  how.flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
  return read_at(call, texts, AT_FDCWD, call.word(0), how);
}

}  // namespace torno::notify
