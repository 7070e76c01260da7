// Session: one sandboxee's relation to the broker, from its connection to its end. It lives on
// one io thread's loop and is used by no other thread.
//
//   session.cpp    life: start, receive, end        dispatch.cpp   the table of what is permitted
//   handshake.cpp  Hello, Sealed, NewChannel        requests.cpp   open, stat, …, Cancel
//   narrow.cpp     a further policy                 answer.cpp     sending, and when there is no
//   room
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "broker/policy/policy.h"
#include "broker/session/datagram.h"
#include "broker/session/link.h"
#include "broker/session/perform.h"
#include "broker/session/recorder.h"
#include "broker/session/services.h"
#include "proto/wire.pb.h"

namespace torno::session {

struct Row;  // of the dispatch table

// Why a peer is not served.
struct Refusal {
  wire::Refused::Reason reason = wire::Refused::REASON_UNSPECIFIED;
  std::string message;  // printable: hostile bytes are escaped where they enter it
};

class Session : public std::enable_shared_from_this<Session> {
 public:
  // `clock` runs on another thread. `on_end` is called once, on the session's thread.
  Session(Loop& loop, boost::asio::io_context& clock, Workspace& workspace, Services& services,
          Peer peer, std::function<void()> on_end);

  // Serves the peer on `control`. With a refusal its Hello is answered with that.
  void start(Fd control, std::optional<Refusal> refusal);

  // Closes every socket and interrupts every slow request. May be called again.
  void end();

  // Requests that were refused; from any thread.
  std::uint64_t denials() const { return recorder_.denials(); }

 private:
  friend struct Row;
  friend struct Table;
  using LinkPtr = std::shared_ptr<Link>;
  using SessionPtr = std::shared_ptr<Session>;
  // A message on its way to its handler.
  struct Incoming {
    const Row& row;
    const wire::ClientMessage* message;  // null: it is the request
    Request request;
    std::string_view bytes;  // in which the request lies
    Fd& fd;                  // closed by the closer unless it is taken
    Fd& second_fd;           // the same, of the second path
    bool fd_lost;            // not all came that the message says
    pid_t client;
  };
  // How the peer broke the protocol; null: it did not.
  using Breach = const char*;

  // Between New and Welcomed, while a policy is loaded, nothing is permitted.
  enum State : unsigned { kNew = 1, kWelcomed = 2, kSealed = 4, kChoosing = 8 };

  // session.cpp
  bool listen(const LinkPtr& link);
  void ready(const LinkPtr& link, Loop::Ready what);
  bool has_turn();
  void readable(const LinkPtr& link);
  bool take_message(const LinkPtr& link);
  bool judge(const LinkPtr& link, Datagram& datagram);
  void discard(Fd fd);
  void retire(Link& link);
  void forget(const LinkPtr& link);
  void violate(Breach how);

  // dispatch.cpp
  Breach dispatch(const LinkPtr& link, Datagram& datagram);

  // The handlers of the table.
  Breach hello(const LinkPtr& link, Incoming& incoming);
  Breach sealed(const LinkPtr& link, Incoming& incoming);
  Breach new_channel(const LinkPtr& link, Incoming& incoming);
  Breach request(const LinkPtr& link, Incoming& incoming);
  Breach narrow(const LinkPtr& channel, Incoming& incoming);
  Breach cancel(const LinkPtr& link, Incoming& incoming);

  // handshake.cpp
  std::optional<Refusal> check_hello(const wire::Hello& hello);
  void choose_policy(const std::string& name);
  void welcome(const ReadyPolicy& ready);
  void refuse(const Refusal& refusal);
  void await_handshake();

  // requests.cpp
  struct CheckedPlaces;
  void name_client(CheckedPlaces& places, pid_t client) const;
  Breach named_channel(const Incoming& incoming, LinkPtr& channel) const;
  Breach check_free(Link& channel);
  Breach request_on(const LinkPtr& channel, Incoming& incoming, bool with_fd);
  void perform_slowly(const LinkPtr& channel, const Incoming& incoming, const Asked& asked);
  void finish(const LinkPtr& channel, const Row& row, std::uint32_t sequence, pid_t client,
              files::Outcome& outcome);

  // narrow.cpp
  struct Further;
  void narrowed(const LinkPtr& channel, std::uint32_t sequence, Further& further);
  void narrow_failed(const LinkPtr& channel, std::uint32_t sequence, pid_t client, int error,
                     std::string why);
  void refuse_narrow(const LinkPtr& channel, std::uint32_t sequence, pid_t client, int error,
                     std::string why);

  // answer.cpp
  void answer(const LinkPtr& link, const wire::BrokerMessage& message, std::span<Fd> fds);
  void answer_result(const LinkPtr& channel, std::uint32_t sequence, std::int32_t result,
                     std::span<Fd> fds);
  void answer_error(const LinkPtr& channel, std::uint32_t sequence, int error);
  void pass(const LinkPtr& link, std::string_view bytes, std::span<Fd> fds);
  void queue(const LinkPtr& link, Link::Answer answer);
  void flush(const LinkPtr& link);
  void want_room(const Link& link, bool wanted);
  bool hoards(Link& channel);
  static void look_for_unread(Link& channel);
  void send_failed(const LinkPtr& link);

  Loop& loop_;
  Workspace& workspace_;
  Services& services_;
  const Peer peer_;
  const std::uint64_t number_;
  std::function<void()> on_end_;
  std::optional<Refusal> refusal_;
  boost::asio::steady_timer handshake_timer_;

  State state_ = kNew;
  bool ended_ = false;
  LinkPtr control_;
  std::map<std::uint32_t, LinkPtr> channels_;
  std::uint32_t last_channel_ = 0;

  Variables common_variables_;  // the same for all who use the store
  Variables own_variables_;
  std::shared_ptr<const policy::PolicyStack> policy_;  // slow requests keep the one they began with
  std::uint32_t layers_ = 0;                           // that Welcome asked for

  Closer::Lane closing_;
  std::uint64_t turn_ = 0;      // of the loop, when it was last served
  int served_ = 0;              // in that turn
  std::uint32_t sent_fds_ = 0;  // since all channels were looked at
  std::size_t slow_requests_ = 0;
  int narrow_failures_ = 0;
  Kind current_ = Kind::kUnknown;
  std::uint64_t requests_ = 0;
  Recorder recorder_;
};

// One message or request of the wire.
struct Row {
  enum Where : unsigned { kControl = 1, kChannel = 2 };
  enum class Carries {
    kNothing,
    kByDirectory,  // a descriptor where Request.directory says so, and then on the control socket
    kByBoth,       // the same, and one where Request.second_directory says so
    kSocket,
  };

  Kind kind;
  unsigned states;  // bits of State that permit it
  unsigned where;
  Carries carries;
  Session::Breach (Session::*handler)(const Session::LinkPtr&, Session::Incoming&);
  const Call* call;  // for what files and network perform
};

}  // namespace torno::session
