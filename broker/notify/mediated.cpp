// The table of what is mediated.
#include <sys/syscall.h>

#include <algorithm>

#include "broker/notify/call.h"

namespace torno::notify {
namespace {

constexpr int kFchmodat2 = 452;  // newer than Debian 12's header; one number everywhere

}  // namespace

const Mediated* mediated(int number) {
  using session::Kind;
  // clang-format off
  static const Mediated kRows[] = {
    {SYS_openat,     Kind::kOpen,     &session::kOpenCall,     read_openat,     nullptr},
    {SYS_newfstatat, Kind::kStat,     &session::kStatCall,     read_newfstatat, give_newfstatat},
    {SYS_access,     Kind::kAccess,   &session::kAccessCall,   read_access,     nullptr},
    {SYS_readlink,   Kind::kReadlink, &session::kReadlinkCall, read_readlink,   give_readlink},
    {SYS_statx,      Kind::kStat,     &session::kStatCall,     read_statx,      give_statx},
    {SYS_open,       Kind::kOpen,     &session::kOpenCall,     read_open,       nullptr},
    {SYS_creat,      Kind::kOpen,     &session::kOpenCall,     read_creat,      nullptr},
    {SYS_openat2,    Kind::kOpen,     &session::kOpenCall,     read_openat2,    nullptr},
    {SYS_stat,       Kind::kStat,     &session::kStatCall,     read_stat,       give_stat},
    {SYS_lstat,      Kind::kStat,     &session::kStatCall,     read_lstat,      give_stat},
    {SYS_faccessat,  Kind::kAccess,   &session::kAccessCall,   read_faccessat,  nullptr},
    {SYS_faccessat2, Kind::kAccess,   &session::kAccessCall,   read_faccessat2, nullptr},
    {SYS_readlinkat, Kind::kReadlink, &session::kReadlinkCall, read_readlinkat, give_readlinkat},
    {SYS_mkdir,      Kind::kMkdir,      &session::kMkdirCall,      read_mkdir,      nullptr},
    {SYS_mkdirat,    Kind::kMkdir,      &session::kMkdirCall,      read_mkdirat,    nullptr},
    {SYS_mknod,      Kind::kMknod,      &session::kMknodCall,      read_mknod,      nullptr},
    {SYS_mknodat,    Kind::kMknod,      &session::kMknodCall,      read_mknodat,    nullptr},
    {SYS_rmdir,      Kind::kRmdir,      &session::kRmdirCall,      read_path,       nullptr},
    {SYS_unlink,     Kind::kUnlink,     &session::kUnlinkCall,     read_path,       nullptr},
    {SYS_unlinkat,   Kind::kUnlink,     &session::kUnlinkCall,     read_unlinkat,   nullptr},
    {SYS_rename,     Kind::kRename,     &session::kRenameCall,     read_rename,     nullptr},
    {SYS_renameat,   Kind::kRename,     &session::kRenameCall,     read_renameat,   nullptr},
    {SYS_renameat2,  Kind::kRename,     &session::kRenameCall,     read_renameat2,  nullptr},
    {SYS_link,       Kind::kLink,       &session::kLinkCall,       read_link,       nullptr},
    {SYS_linkat,     Kind::kLink,       &session::kLinkCall,       read_linkat,     nullptr},
    {SYS_symlink,    Kind::kSymlink,    &session::kSymlinkCall,    read_symlink,    nullptr},
    {SYS_symlinkat,  Kind::kSymlink,    &session::kSymlinkCall,    read_symlinkat,  nullptr},
    {SYS_chmod,      Kind::kChmod,      &session::kChmodCall,      read_chmod,      nullptr},
    {SYS_fchmod,     Kind::kChmod,      &session::kChmodCall,      read_fchmod,     nullptr},
    {SYS_fchmodat,   Kind::kChmod,      &session::kChmodCall,      read_fchmodat,   nullptr},
    {kFchmodat2,     Kind::kChmod,      &session::kChmodCall,      read_fchmodat2,  nullptr},
    {SYS_chown,      Kind::kChown,      &session::kChownCall,      read_chown,      nullptr},
    {SYS_lchown,     Kind::kChown,      &session::kChownCall,      read_lchown,     nullptr},
    {SYS_fchown,     Kind::kChown,      &session::kChownCall,      read_fchown,     nullptr},
    {SYS_fchownat,   Kind::kChown,      &session::kChownCall,      read_fchownat,   nullptr},
    {SYS_utime,      Kind::kUtimensat,  &session::kUtimensatCall,  read_utime,      nullptr},
    {SYS_utimes,     Kind::kUtimensat,  &session::kUtimensatCall,  read_utimes,     nullptr},
    {SYS_futimesat,  Kind::kUtimensat,  &session::kUtimensatCall,  read_futimesat,  nullptr},
    {SYS_utimensat,  Kind::kUtimensat,  &session::kUtimensatCall,  read_utimensat,  nullptr},
    {SYS_truncate,   Kind::kTruncate,   &session::kTruncateCall,   read_truncate,   nullptr},
    {SYS_statfs,     Kind::kStatfs,     &session::kStatfsCall,     read_path,       give_statfs},
    {SYS_connect,    Kind::kConnect,  &session::kConnectCall,  read_connect,    nullptr},
    {SYS_chdir,      Kind::kChdir,    &session::kOpenCall,     read_chdir,      nullptr},
    {SYS_execve,     Kind::kExecve,   &session::kAccessCall,   read_execve,     nullptr},
    {SYS_execveat,   Kind::kExecve,   &session::kAccessCall,   read_execveat,   nullptr},
  };
  // clang-format on
  const auto* row = std::ranges::find(kRows, number, &Mediated::number);
  return row != std::end(kRows) ? row : nullptr;
}

}  // namespace torno::notify
