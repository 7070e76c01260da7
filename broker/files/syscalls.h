// The few system calls everything here is made of, with the error as the result.
#pragma once

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>

#include <cstdint>
#include <expected>

#include "broker/base/fd.h"

namespace torno::files {

// How every path is walked: whatever is opened stands at that very path.
inline constexpr std::uint64_t kNoLinks = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;

// What is always asked about a pinned object.
inline constexpr unsigned kIdentityMask =
    STATX_TYPE | STATX_MODE | STATX_INO | STATX_UID | STATX_NLINK | STATX_BTIME | STATX_MNT_ID;

// O_CLOEXEC is added to the flags.
std::expected<Fd, int> openat2(int directory, const char* path, std::uint64_t flags,
                               std::uint64_t mode, std::uint64_t resolve);

// About the descriptor itself. 0 or an errno value.
int statx_fd(int fd, unsigned flags, unsigned mask, struct statx& stat);

// The type, identity and mount of what `fd` is, without asking a file server.
int identify(int fd, struct statx& stat);

bool same_object(const struct statx& a, const struct statx& b);

// Without ever asking a file server on a file system with major device numbers.
bool is_procfs(int fd, const struct statx& stat);

}  // namespace torno::files
