// Listener: seccomp's user notifications of one process tree (seccomp_unotify(2)): every call that
// its filter answers with SECCOMP_RET_USER_NOTIF waits here for an answer.
//
// The filter has to be installed with SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (Linux 5.19): without
// it a signal ends the wait of a call that is being performed, and the call is made once more.
//
// Thread safety: any number of threads may use one at once. No signal ends anything here half done
// but receive().
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <optional>

#include "broker/base/fd.h"

namespace torno::notify {

// A call that waits.
struct Notification {
  std::uint64_t id = 0;  // no other call of this listener ever has it
  pid_t thread = 0;      // in the broker's pid namespace; 0: it cannot be seen from there
  int number = -1;
  std::array<std::uint64_t, 6> args{};
};

class Listener {
 public:
  // `fd` is what seccomp(2) returned for SECCOMP_FILTER_FLAG_NEW_LISTENER.
  explicit Listener(Fd fd);

  // Readable while a call waits that nobody received; hung up when no process is left.
  int fd() const { return fd_.get(); }

  // Waits for the next call; nothing when its thread was killed before, or by EINTR. Where nobody
  // is left who could call, old kernels wait for ever.
  std::optional<Notification> receive() const;

  // Is no process left that could call?
  bool is_deserted() const;

  // Does the call still wait? While it does, its thread's number is no other's.
  bool is_waiting(std::uint64_t id) const;

  // Ends the wait; the call returns `result`, a negative errno value when it failed. False: the
  // thread is gone.
  bool answer(std::uint64_t id, std::int64_t result) const;

  // Ends the wait with a new descriptor of the caller for what `fd` is. 0, or an errno value:
  // ENOENT when the thread is gone, EINTR when a signal came between, else (EMFILE) the call still
  // waits for an answer. With EINTR the call has returned 0, so whoever calls takes no signals.
  int give(std::uint64_t id, int fd, bool close_on_exec) const;

  // Gives the caller a descriptor while its call goes on waiting. Its number there, or a negative
  // errno value.
  int add(std::uint64_t id, int fd, bool close_on_exec) const;

  // Ends the wait and lets the kernel perform the call. Its memory is then read again: never for
  // a call that names a path or an address, unless another wall holds whatever it reads.
  bool go_on(std::uint64_t id) const;

 private:
  Fd fd_;
};

}  // namespace torno::notify
