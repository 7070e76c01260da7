#include "broker/notify/supervisor.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <string>
#include <utility>

#include "broker/base/error.h"
#include "broker/notify/connect.h"
#include "broker/notify/emulated.h"
#include "broker/notify/own_process.h"
#include "broker/notify/own_umask.h"
#include "broker/notify/refusal.h"
#include "broker/notify/remote.h"
#include "broker/session/interrupt.h"

namespace torno::notify {
namespace {

bool gives_path(const Call& call, const Mediated& row) {
  return row.kind == session::Kind::kOpen && (call.request.flags & O_PATH) != 0;
}

bool kill_by(const Fd& process) {
  return ::syscall(SYS_pidfd_send_signal, process.get(), SIGKILL, nullptr, 0) == 0;
}

// Does the thread itself do it, steered?
bool is_steered(const Call& call, const Mediated& row) {
  return row.kind == session::Kind::kChdir || gives_path(call, row);
}

// Is it known to be for a thread that may be held?
bool may_be_held(const Call& call, const Mediated& row) {
  return row.kind == session::Kind::kConnect || is_steered(call, row);
}

}  // namespace

// A call that may be held, with copies of its own of everything.
struct Supervisor::Slow {
  Slow(Call&& asked, const Mediated& its_row, std::shared_ptr<const files::Files> performer)
      : call(std::move(asked)), row(its_row), files(std::move(performer)) {
    path = call.place.path;
    cwd = call.place.cwd;
    address = call.request.path;
    second_path = call.second.path;
    second_cwd = call.second.cwd;
    text = call.request.second_path;
    call.place.path = path;
    call.place.cwd = cwd;
    call.request.path = address;
    call.second.path = second_path;
    call.second.cwd = second_cwd;
    call.request.second_path = text;
  }
  Slow(const Slow&) = delete;
  Slow& operator=(const Slow&) = delete;

  Call call;
  const Mediated& row;
  const std::shared_ptr<const files::Files> files;
  std::string path;
  std::string cwd;
  std::string address;
  std::string second_path;
  std::string second_cwd;
  std::string text;
  files::Outcome outcome;
  bool answered = false;
};

Supervisor::Supervisor(session::Services& services, Options options)
    : services_(services),
      policy_(std::make_shared<const policy::PolicyStack>(options.policy)),
      listener_(std::make_shared<const Listener>(std::move(options.listener))),
      killed_calls_(*options.policy),
      end_all_(std::move(options.end_all)),
      tracer_(options.tracer),
      numbers_(std::move(options.proc)),
      program_(options.program),
      holds_executables_(options.holds_executables),
      recorder_(services.auditor, ++services.last_session, options.program, options.user),
      closing_(services.closer.make_lane(options.program)),
      watchdog_(services.slow_pool) {
  recorder_.set_policy(policy_->name());
}

bool Supervisor::begin() {
  const std::lock_guard lock(mutex_);
  serving_ = ::pthread_self();
  return !stopping_;
}

void Supervisor::serve() {
  session::allow_interrupts();
  bool goes_on = begin();
  if (!take_no_umask()) {
    // No file would get the mode that it was asked for; without anybody to answer, calls fail.
    if (end_all_) end_all_();
    goes_on = false;
  }
  while (goes_on) {
    if (const auto notification = listener_->receive()) {
      take(*notification);
      continue;
    }
    const std::lock_guard lock(mutex_);
    goes_on = !stopping_ && !listener_->is_deserted();
  }
  const std::lock_guard lock(mutex_);
  serving_.reset();
  recorder_.write_suppressed();
  served_.notify_all();
}

void Supervisor::stop() {
  constexpr std::chrono::milliseconds kInterruptAgain{5};  // the first may come before the wait
  std::unique_lock lock(mutex_);
  stopping_ = true;
  while (serving_) {
    session::interrupt(*serving_);
    served_.wait_for(lock, kInterruptAgain);
  }
}

void Supervisor::take(const Notification& notification) {
  Call call(notification, numbers_);
  if (killed_calls_.contains(notification.number, notification.args)) {
    kill(call);
    return;
  }
  const Mediated* row = mediated(notification.number);
  if (row == nullptr) {
    if (emulate(call, *listener_, texts_)) return;
    if (reaches_only_itself(call)) {
      listener_->go_on(notification.id);
    } else {
      refuse(call);
    }
    return;
  }
  if (row->kind == session::Kind::kExecve && !started_ && call.process == program_) {
    started_ = true;
    listener_->go_on(notification.id);
    return;
  }
  decide(call, *row);
}

void Supervisor::decide(Call& call, const Mediated& row) {
  const std::uint64_t id = call.notification.id;
  const long error = row.read(call, texts_);
  // What was read is the caller's only if it is still there.
  if (error != 0) listener_->answer(id, error);
  if (error != 0 || !listener_->is_waiting(id)) {
    discard(call.fd);
    discard(call.second_fd);
    return;
  }
  if (!may_be_held(call, row)) {
    files::Outcome outcome =
        row.perform->perform(*services_.files, *policy_, call.asked(), files::Wait::kNever);
    if (!outcome.would_block) {
      finish(call, row, outcome);
      return;
    }
  }
  perform_slowly(call, row);
}

void Supervisor::perform_slowly(Call& call, const Mediated& row) {
  const std::uint64_t id = call.notification.id;
  auto slow = std::make_shared<Slow>(std::move(call), row, services_.files);
  // What is steered counts as a peer of its own, a number that no process has: so a program whose
  // threads wait for FIFOs, as many as may, still changes its directory.
  const pid_t peer = is_steered(slow->call, row) ? -program_ : program_;
  auto job = services_.slow_pool.submit(peer, [self = shared_from_this(), slow](bool cancelled) {
    slow->outcome.error = EINTR;
    if (!cancelled) self->work(*slow);
    self->finish_slowly(*slow);
  });
  if (job == nullptr) {
    listener_->answer(id, -ENFILE);
    return;
  }
  if (!watchdog_.watch(job, listener_, id, slow->call.notification.thread)) {
    services_.slow_pool.cancel(job);  // it would be held until it ends by itself
  }
}

void Supervisor::finish_slowly(Slow& slow) {
  if (slow.outcome.error == EINTR && !slow.answered) {
    trace([&] { slow.answered = restart(*listener_, slow.call.notification); });
  }
  bool goes_on = false;
  {
    const std::lock_guard lock(mutex_);
    goes_on = !stopping_;
    if (goes_on) recorder_.denial(slow.row.kind, slow.call.process, slow.outcome);
  }
  if (goes_on && !slow.answered) {
    // While the kernel passes a descriptor on, the call counts as answered, and the watchdog
    // interrupts. The kernel would then take the descriptor back, and the call would return 0.
    const session::NoInterrupts whole;
    give(slow.call, slow.row, slow.outcome);
  }
  discard(slow.outcome.fd);
  discard(slow.call.fd);
  discard(slow.call.second_fd);
}

// On a thread of the pool.
void Supervisor::work(Slow& slow) const {
  const Call& call = slow.call;
  if (!take_no_umask()) {
    slow.outcome.error = ENOMEM;
    return;
  }
  if (slow.row.kind == session::Kind::kConnect) {
    slow.outcome = connect_and_wait(*slow.files, *policy_, call);
  } else {
    slow.outcome =
        slow.row.perform->perform(*slow.files, *policy_, call.asked(), files::Wait::kMayBlock);
  }
  if (slow.outcome.error != 0) return;
  const int fd = slow.outcome.fd.get();
  if (slow.row.kind == session::Kind::kChdir) {
    trace([&] {
      slow.answered = change_directory(*listener_, call.notification, fd, slow.outcome.error);
    });
  } else if (gives_path(call, slow.row)) {
    const bool close_on_exec = (call.request.flags & O_CLOEXEC) != 0;
    trace([&] {
      slow.answered =
          give_path(*listener_, call.notification, fd, close_on_exec, slow.outcome.error);
    });
  }
}

void Supervisor::finish(Call& call, const Mediated& row, files::Outcome& outcome) {
  if (outcome.denial) {
    const std::lock_guard lock(mutex_);
    recorder_.denial(row.kind, call.process, outcome);
  }
  give(call, row, outcome);
  // Of the caller's own descriptor the outcome may be a duplicate.
  if (call.fd && call.place.base != files::Place::Base::kFd) discard(outcome.fd);
  for (Fd* fd : {&call.fd, &call.second_fd}) {
    if (*fd && !services_.files->closes_soon(fd->get())) discard(*fd);
  }
}

// Closes what the program has too, or may have changed, without waiting for it.
void Supervisor::discard(Fd& fd) {
  if (fd) closing_.close(std::move(fd));
}

void Supervisor::refuse(const Call& call) {
  const int number = call.notification.number;
  const int error = refusal(number);
  {
    const std::lock_guard lock(mutex_);
    recorder_.refusal(call_name(number), call.process, error);
  }
  listener_->answer(call.notification.id, -error);
}

// By SIGKILL: whatever else the process could hold back. Its call never returns; where killing
// fails, it does so with an error, and everybody ends.
void Supervisor::kill(const Call& call) {
  const std::uint64_t id = call.notification.id;
  const DecodedCall decoded = decode(call, texts_);
  const Fd process(static_cast<int>(::syscall(SYS_pidfd_open, call.process, 0)));
  // As long as the call waits, all of that is of its process; else there is nobody to kill.
  if (!listener_->is_waiting(id)) return;
  {
    const std::lock_guard lock(mutex_);
    recorder_.kill(decoded.name, decoded.arguments, call.process);
    if (call.process == program_ && refused_call_.name.empty()) refused_call_ = decoded;
  }
  if (process && (kill_and_look(call, process) || kill_by(process))) return;
  if (end_all_) end_all_();
  listener_->answer(id, -EPERM);
}

// The thread has to stand still to be looked at, so its call is answered; what that returns it does
// not live to see. False: it may be alive.
bool Supervisor::kill_and_look(const Call& call, const Fd& process) {
  if (tracer_ == nullptr) return false;
  bool killed = false;
  tracer_->run([&] {
    std::function<void()> after;
    hold_at_return(*listener_, call.notification, -EPERM, [&] {
      after = tracer_->look(call.notification.thread, SIGSYS);
      killed = kill_by(process);
      if (!killed && end_all_) end_all_();
    });
    if (after) after();
  });
  return killed;
}

// ptrace(2) is for the one thread that follows the program, where there is one.
void Supervisor::trace(const std::function<void()>& job) const {
  if (tracer_ != nullptr) {
    tracer_->run(job);
  } else {
    job();
  }
}

DecodedCall Supervisor::refused_call() {
  const std::lock_guard lock(mutex_);
  return refused_call_;
}

void Supervisor::give(const Call& call, const Mediated& row, files::Outcome& outcome) {
  const std::uint64_t id = call.notification.id;
  const bool executes = row.kind == session::Kind::kExecve;
  if (outcome.error == 0 && executes && !holds_executables_) outcome.error = EACCES;
  // Nothing was done, or there is nothing to give: no success, whatever led here.
  const bool has_nothing = row.kind == session::Kind::kOpen && !outcome.fd;
  if (outcome.error == 0 && (outcome.would_block || has_nothing)) outcome.error = EIO;
  if (outcome.error != 0) {
    listener_->answer(id, -outcome.error);
    return;
  }
  if (executes) {
    // The kernel looks the path up again, under Landlock's EXECUTE right.
    listener_->go_on(id);
    return;
  }
  if (row.kind == session::Kind::kOpen) {
    const bool close_on_exec = (call.request.flags & O_CLOEXEC) != 0;
    const int error = listener_->give(id, outcome.fd.get(), close_on_exec);
    if (error == 0) return;
    discard(outcome.fd);  // there may be nobody else who holds it open
    listener_->answer(id, -error);
    return;
  }
  // A call that took its time may have ended meanwhile, and the thread's number be that of somebody
  // else, in whose memory nothing is written.
  if (row.give == nullptr || listener_->is_waiting(id)) {
    listener_->answer(id, row.give != nullptr ? row.give(call, outcome) : 0);
  }
}

}  // namespace torno::notify
