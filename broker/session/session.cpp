#include "broker/session/session.h"

#include <utility>

#include "broker/session/limits.h"

namespace torno::session {
Session::Session(Loop& loop, boost::asio::io_context& clock, Workspace& workspace,
                 Services& services, Peer peer, std::function<void()> on_end)
    : loop_(loop),
      workspace_(workspace),
      services_(services),
      peer_(std::move(peer)),
      number_(++services.last_session),
      on_end_(std::move(on_end)),
      handshake_timer_(clock),
      common_variables_(services.settings.variables),
      policy_(std::make_shared<const policy::PolicyStack>()),
      closing_(services.closer.make_lane(peer_.pid)),
      recorder_(services.auditor, number_, peer_.pid, peer_.uid) {
  own_variables_["PID"] = std::to_string(peer_.pid);
  if (!peer_.cwd.empty()) own_variables_["CWD"] = peer_.cwd;
}

void Session::start(Fd control, std::optional<Refusal> refusal) {
  refusal_ = std::move(refusal);
  control_ = std::make_shared<Link>(Link::kControl, std::move(control));
  if (pass_credentials(control_->socket.get()) != 0 || !listen(control_)) {
    end();
    return;
  }
  await_handshake();
}

void Session::end() {
  if (std::exchange(ended_, true)) return;
  handshake_timer_.cancel();
  while (!channels_.empty()) {
    const LinkPtr channel = channels_.begin()->second;
    forget(channel);
  }
  if (control_ != nullptr) retire(*control_);
  if (state_ == kSealed) {
    recorder_.write_suppressed();
    if (!services_.settings.embedded) {
      audit::Event ended = recorder_.event(0);
      ended.mutable_ended()->set_requests(requests_);
      ended.mutable_ended()->set_denials(recorder_.denials());
      recorder_.write(std::move(ended));
    }
  }
  if (on_end_) std::exchange(on_end_, nullptr)();
}

// False, and the link is not watched, when the kernel watches no more sockets.
bool Session::listen(const LinkPtr& link) {
  link->watch =
      loop_.watch(link->socket.get(), [self = shared_from_this(), link](Loop::Ready what) {
        try {
          self->ready(link, what);
        } catch (...) {  // what came is lost, and its answer with it
          self->end();
          throw;
        }
      });
  return link->watch.has_value();
}

// Reads also while answers wait for room: a request must not be left lying until its sender's
// process number is another's. check_free() refuses it.
void Session::ready(const LinkPtr& link, Loop::Ready what) {
  if (what.write) flush(link);
  if (what.read && !ended_ && link->is_open() && has_turn()) readable(link);
}

// What is left unread makes the loop call again.
bool Session::has_turn() {
  if (std::exchange(turn_, loop_.turn()) != turn_) served_ = 0;
  return ++served_ <= kMaxMessagesATurn;
}

void Session::readable(const LinkPtr& link) {
  // Sealed on the control socket and the first request on a channel may be seen in either order.
  if (!link->is_control()) {
    int early = 0;
    while (early < kMaxEarlyMessages && state_ == kWelcomed && take_message(control_)) ++early;
    if (early == kMaxEarlyMessages) return;  // others have their turn first
  }
  if (!ended_ && link->is_open()) take_message(link);
}

// One message, if there is one. Descriptors of it that nobody took are never closed here.
bool Session::take_message(const LinkPtr& link) {
  Datagram datagram = receive(link->socket.get(), workspace_.received);
  const bool goes_on = judge(link, datagram);
  for (Fd& fd : datagram.fds) discard(std::move(fd));
  for (Fd& fd : datagram.surplus) discard(std::move(fd));
  return goes_on && !ended_;
}

bool Session::judge(const LinkPtr& link, Datagram& datagram) {
  current_ = Kind::kUnknown;
  switch (datagram.status) {
    case Datagram::Status::kNothing:
      return false;
    case Datagram::Status::kClosed:
      if (link->is_control()) {
        end();
      } else {
        forget(link);
      }
      return false;
    case Datagram::Status::kBroken:
      violate(datagram.broken);
      return false;
    case Datagram::Status::kMessage:
      break;
  }
  if (const Breach breach = dispatch(link, datagram); breach != nullptr) violate(breach);
  return !ended_;
}

// A channel whose other end is closed: its thread or process is gone.
void Session::forget(const LinkPtr& link) {
  if (link->job != nullptr) services_.slow_pool.cancel(link->job);
  retire(*link);
  if (channels_.erase(link->id) > 0) services_.quota.give_channel(peer_.pid);
}

// Closes what a client sent, or may have changed, without waiting for it.
void Session::discard(Fd fd) {
  if (fd && closing_.close(std::move(fd)) > kMaxUnclosed) {
    violate("its descriptors take too long to close");
  }
}

// Messages that lie unread in a socket are dropped with it, and whatever descriptors they hold.
void Session::retire(Link& link) {
  // Out of the link first: discard() may end the session, which comes back here.
  auto queue = std::exchange(link.queue, {});
  for (Link::Answer& answer : queue) {
    for (Fd& fd : answer.fds) discard(std::move(fd));
  }
  if (link.watch) loop_.unwatch(*link.watch);
  link.watch.reset();
  discard(std::move(link.socket));
}

void Session::violate(Breach how) {
  if (ended_) return;
  audit::Event broke = recorder_.event(0);
  std::string reason = how;
  if (current_ != Kind::kUnknown) reason = std::string(name_of(current_)) + ": " + reason;
  broke.mutable_protocol_violation()->set_reason(std::move(reason));
  recorder_.write(std::move(broke));
  end();
}

}  // namespace torno::session
