// TrapSession: the launcher's session with the sandboxee library in a program that it started. The
// kernel takes the library's trap filter over the notify filter beneath it, so calls are asked here
// that would else be the supervisor's; the policy, and what performs them, are the same.
//
// It grants nothing that the supervisor would not: a program that speaks to it by itself, before
// the library or instead of it, is one more hostile client.
#pragma once

#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <memory>
#include <thread>

#include "broker/base/error.h"
#include "broker/base/fd.h"
#include "broker/policy/policy.h"
#include "broker/session/loop.h"
#include "broker/session/services.h"
#include "broker/session/session.h"

namespace torno::launch {

class TrapSession {
 public:
  static Result<std::unique_ptr<TrapSession>> make(const policy::PolicyPtr& policy);
  TrapSession(const TrapSession&) = delete;
  TrapSession& operator=(const TrapSession&) = delete;
  ~TrapSession();

  // The program's end; until serve().
  int control() const { return theirs_.get(); }

  // Serves the program on a thread of its own. The services outlive this. `proc`: the root of the
  // procfs of its pid namespace, if it has one.
  Result<void> serve(session::Services& services, pid_t program, uid_t user, const Fd& proc);
  // Ends the session, and waits for the thread. What the services' pool still does for it comes to
  // nothing, but it must outlive that.
  void stop();
  // Takes what the pool has done since.
  void finish() { loop_.run_posted(); }

  // From any thread.
  bool is_sealed() const { return launched_->sealed; }
  std::uint64_t denials() const { return session_ != nullptr ? session_->denials() : 0; }

 private:
  TrapSession() = default;
  void run();

  session::Services* services_ = nullptr;  // from serve() on
  std::shared_ptr<session::Launched> launched_ = std::make_shared<session::Launched>();
  Fd ours_;
  Fd theirs_;
  pid_t program_ = 0;
  // Never run, so that its timers never end: a program may come to its seal late, or not at all,
  // and the session goes with it.
  boost::asio::io_context clock_;
  session::Workspace workspace_;
  session::Loop loop_;  // holds the session, which uses the former
  std::shared_ptr<session::Session> session_;
  std::thread thread_;
};

}  // namespace torno::launch
