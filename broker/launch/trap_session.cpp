#include "broker/launch/trap_session.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>
#include <exception>
#include <system_error>
#include <utility>

#include "broker/filter/program.h"
#include "broker/notify/numbers.h"
#include "broker/session/interrupt.h"

namespace torno::launch {

Result<std::unique_ptr<TrapSession>> TrapSession::make(const policy::PolicyPtr& policy) {
  auto program = filter::compile(*policy, filter::Transport::kTrapOnNotify);
  if (!program) return std::unexpected(program.error());
  auto memfd = filter::to_memfd(*program);
  if (!memfd) return std::unexpected(memfd.error());
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return std::unexpected(system_error("cannot make a socket", errno));
  }
  Fd ours(ends[0]);
  Fd theirs(ends[1]);
  std::unique_ptr<TrapSession> made;
  try {
    made.reset(new TrapSession);
  } catch (const std::system_error& error) {
    return std::unexpected(Error{std::string("no loop to serve on: ") + error.what()});
  }
  made->ours_ = std::move(ours);
  made->theirs_ = std::move(theirs);
  made->launched_->ready = {policy, std::make_shared<const Fd>(std::move(*memfd))};
  return made;
}

TrapSession::~TrapSession() {
  stop();
}

Result<void> TrapSession::serve(session::Services& services, pid_t program, uid_t user,
                                const Fd& proc) {
  Fd own_proc;
  if (proc) {
    own_proc.reset(::fcntl(proc.get(), F_DUPFD_CLOEXEC, 3));
    if (!own_proc) return std::unexpected(system_error("cannot duplicate a descriptor", errno));
  }
  auto numbers = std::make_shared<notify::Numbers>(std::move(own_proc));
  launched_->proc = numbers->proc();
  launched_->number_inside = [numbers](pid_t process) { return numbers->of(process); };
  theirs_.reset();
  if (!services.quota.take_session(program)) {
    return std::unexpected(Error{"too few descriptors for a session; raise `ulimit -Hn`"});
  }
  services_ = &services;
  program_ = program;
  session_ = std::make_shared<session::Session>(loop_, clock_, workspace_, services,
                                                session::Peer{program, user, {}, launched_}, [] {});
  // First on the loop: a session belongs to its thread.
  loop_.post([this] { session_->start(std::move(ours_), std::nullopt); });
  const session::InterruptsAlone alone;
  try {
    thread_ = std::thread([this] { run(); });
  } catch (const std::system_error& error) {
    return std::unexpected(Error{std::string("no thread to serve on: ") + error.what()});
  }
  return {};
}

void TrapSession::run() {
  for (;;) {
    try {
      loop_.run();
      return;
    } catch (const std::exception&) {
      // Out of memory: the handler has ended the session, and the library says EIO from then on.
    }
  }
}

void TrapSession::stop() {
  if (!thread_.joinable()) return;
  loop_.post([this] {
    session_->end();
    loop_.post([this] { loop_.stop(); });  // after what the end left to do
  });
  thread_.join();
  finish();
  services_->quota.give_session(program_);
}

}  // namespace torno::launch
