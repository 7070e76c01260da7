// Call: a system call that waits for its answer, and what of its arguments was read. Memory of the
// program is read once: what is decided on is what is done, whatever stands there afterwards.
#pragma once

#include <array>
#include <cstdint>

#include "broker/base/fd.h"
#include "broker/files/outcome.h"
#include "broker/files/request.h"
#include "broker/notify/listener.h"
#include "broker/notify/numbers.h"
#include "broker/notify/target.h"
#include "broker/session/limits.h"
#include "broker/session/perform.h"

namespace torno::notify {

// Room for the texts of one call.
struct Texts {
  std::array<char, session::kMaxPath + 1> path;
  std::array<char, session::kMaxPath + 1> second_path;
  std::array<char, session::kMaxPath + 1> cwd;
};

struct Call {
  Call(const Notification& received, Numbers& numbers)
      : notification(received),
        target(received.thread),
        process(target.process()),
        number(numbers.of(process)) {
    place.client = number;
    place.proc = numbers.proc();
    second = place;
  }

  std::uint64_t word(std::size_t index) const { return notification.args[index]; }
  // At the width at which the kernel reads it.
  unsigned as_unsigned(std::size_t index) const { return static_cast<unsigned>(word(index)); }
  int as_int(std::size_t index) const { return static_cast<int>(as_unsigned(index)); }

  session::Asked asked() const { return {&request, place, fd.get(), second, second_fd.get()}; }

  Notification notification;
  Target target;
  pid_t process;             // that the thread is of
  pid_t number;              // by which it knows itself
  session::Request request;  // its texts are views into Texts
  files::Place place;
  Fd fd;                // a duplicate of the descriptor that an argument names
  files::Place second;  // of rename and link
  Fd second_fd;
};

// A call that the policy decides on. Those that read or give return 0 or more, or a negative errno
// value, as the system call does.
struct Mediated {
  int number;
  session::Kind kind;
  const session::Call* perform;
  long (*read)(Call&, Texts&);
  // What a success returns, once its result is in the program's memory; null: 0, or the descriptor.
  long (*give)(const Call&, const files::Outcome&);
};

// Null: the call is none of them.
const Mediated* mediated(int number);

// The rows, a file each call: open.cpp, stat.cpp, access.cpp, readlink.cpp, connect.cpp;
// entries.cpp for names that are made, removed and renamed, change.cpp for what is changed.
long read_open(Call& call, Texts& texts);
long read_creat(Call& call, Texts& texts);
long read_openat(Call& call, Texts& texts);
long read_openat2(Call& call, Texts& texts);
long read_stat(Call& call, Texts& texts);
long read_lstat(Call& call, Texts& texts);
long read_newfstatat(Call& call, Texts& texts);
long read_statx(Call& call, Texts& texts);
long give_stat(const Call& call, const files::Outcome& outcome);
long give_newfstatat(const Call& call, const files::Outcome& outcome);
long give_statx(const Call& call, const files::Outcome& outcome);
long read_access(Call& call, Texts& texts);
long read_faccessat(Call& call, Texts& texts);
long read_faccessat2(Call& call, Texts& texts);
long read_readlink(Call& call, Texts& texts);
long read_readlinkat(Call& call, Texts& texts);
long give_readlink(const Call& call, const files::Outcome& outcome);
long give_readlinkat(const Call& call, const files::Outcome& outcome);
long read_mkdir(Call& call, Texts& texts);
long read_mkdirat(Call& call, Texts& texts);
long read_mknod(Call& call, Texts& texts);
long read_mknodat(Call& call, Texts& texts);
long read_path(Call& call, Texts& texts);  // of rmdir, unlink, statfs
long read_unlinkat(Call& call, Texts& texts);
long read_rename(Call& call, Texts& texts);
long read_renameat(Call& call, Texts& texts);
long read_renameat2(Call& call, Texts& texts);
long read_link(Call& call, Texts& texts);
long read_linkat(Call& call, Texts& texts);
long read_symlink(Call& call, Texts& texts);
long read_symlinkat(Call& call, Texts& texts);
long read_chmod(Call& call, Texts& texts);
long read_fchmod(Call& call, Texts& texts);
long read_fchmodat(Call& call, Texts& texts);
long read_fchmodat2(Call& call, Texts& texts);
long read_chown(Call& call, Texts& texts);
long read_lchown(Call& call, Texts& texts);
long read_fchown(Call& call, Texts& texts);
long read_fchownat(Call& call, Texts& texts);
long read_utime(Call& call, Texts& texts);
long read_utimes(Call& call, Texts& texts);
long read_futimesat(Call& call, Texts& texts);
long read_utimensat(Call& call, Texts& texts);
long read_truncate(Call& call, Texts& texts);
long give_statfs(const Call& call, const files::Outcome& outcome);
long read_connect(Call& call, Texts& texts);
long read_chdir(Call& call, Texts& texts);
long read_execve(Call& call, Texts& texts);
long read_execveat(Call& call, Texts& texts);

}  // namespace torno::notify
