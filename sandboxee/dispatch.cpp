#include "sandboxee/dispatch.h"

#include "sandboxee/calls/calls.h"
#include "sandboxee/refused.h"
#include "sandboxee/translate/translate.h"

namespace torno {
namespace {

using Function = long (*)(Trap&);

constexpr int kFchmodat2 = 452;  // newer than Debian 12's header; one number everywhere
constexpr int kNumbers = 512;    // more than any architecture has

struct Table {
  Function row[kNumbers] = {};
};

constexpr Table make_table() {
  Table table;
  // Brokered: the broker decides, acts, and passes the result back.
  table.row[__NR_open] = calls::open;
  table.row[__NR_creat] = calls::creat;
  table.row[__NR_openat] = calls::openat;
  table.row[__NR_openat2] = calls::openat2;
  table.row[__NR_stat] = calls::stat;
  table.row[__NR_lstat] = calls::lstat;
  table.row[__NR_newfstatat] = calls::newfstatat;
  table.row[__NR_statx] = calls::statx;
  table.row[__NR_access] = calls::access;
  table.row[__NR_faccessat] = calls::faccessat;
  table.row[__NR_faccessat2] = calls::faccessat2;
  table.row[__NR_readlink] = calls::readlink;
  table.row[__NR_readlinkat] = calls::readlinkat;
  table.row[__NR_mkdir] = calls::mkdir;
  table.row[__NR_mkdirat] = calls::mkdirat;
  table.row[__NR_mknod] = calls::mknod;
  table.row[__NR_mknodat] = calls::mknodat;
  table.row[__NR_rmdir] = calls::rmdir;
  table.row[__NR_unlink] = calls::unlink;
  table.row[__NR_unlinkat] = calls::unlinkat;
  table.row[__NR_rename] = calls::rename;
  table.row[__NR_renameat] = calls::renameat;
  table.row[__NR_renameat2] = calls::renameat2;
  table.row[__NR_link] = calls::link;
  table.row[__NR_linkat] = calls::linkat;
  table.row[__NR_symlink] = calls::symlink;
  table.row[__NR_symlinkat] = calls::symlinkat;
  table.row[__NR_chmod] = calls::chmod;
  table.row[__NR_fchmod] = calls::fchmod;
  table.row[__NR_fchmodat] = calls::fchmodat;
  table.row[kFchmodat2] = calls::fchmodat2;
  table.row[__NR_chown] = calls::chown;
  table.row[__NR_lchown] = calls::lchown;
  table.row[__NR_fchown] = calls::fchown;
  table.row[__NR_fchownat] = calls::fchownat;
  table.row[__NR_utime] = calls::utime;
  table.row[__NR_utimes] = calls::utimes;
  table.row[__NR_futimesat] = calls::futimesat;
  table.row[__NR_utimensat] = calls::utimensat;
  table.row[__NR_truncate] = calls::truncate;
  table.row[__NR_statfs] = calls::statfs;
  table.row[__NR_connect] = calls::connect;
  // Translated: answered inside the process.
  table.row[__NR_rt_sigaction] = translate::rt_sigaction;
  table.row[__NR_rt_sigprocmask] = translate::rt_sigprocmask;
  table.row[__NR_rt_sigsuspend] = translate::rt_sigsuspend;
  table.row[__NR_ppoll] = translate::ppoll;
  table.row[__NR_pselect6] = translate::pselect6;
  table.row[__NR_epoll_pwait] = translate::epoll_pwait;
  table.row[__NR_epoll_pwait2] = translate::epoll_pwait2;
  table.row[__NR_setrlimit] = translate::setrlimit;
  table.row[__NR_prlimit64] = translate::prlimit64;
  table.row[__NR_umask] = translate::umask;
  table.row[__NR_close_range] = translate::close_range;
  table.row[__NR_sendmsg] = translate::sendmsg;
  table.row[__NR_sendmmsg] = translate::sendmmsg;
  return table;
}

constexpr Table kTable = make_table();

}  // namespace

long dispatch(Trap& trap) {
  const Function function =
      trap.number >= 0 && trap.number < kNumbers ? kTable.row[trap.number] : nullptr;
  return function != nullptr ? function(trap) : refuse(trap);
}

}  // namespace torno
