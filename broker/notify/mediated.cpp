// The table of what is mediated.
#include <sys/syscall.h>

#include <algorithm>

#include "broker/notify/call.h"

namespace torno::notify {

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
