// RawPeer: speaks the wire by hand, as a sandboxee whose library is the attacker's would.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/base/fd.h"
#include "proto/wire.pb.h"

namespace torno::test {

class RawPeer {
 public:
  struct Answer {
    wire::BrokerMessage message;
    std::vector<Fd> fds;
  };

  explicit RawPeer(Fd socket, unsigned id = 0) : socket_(std::move(socket)), id_(id) {}
  // Connects to a broker; not valid when it cannot.
  static RawPeer connect(const std::string& path);

  bool is_valid() const { return static_cast<bool>(socket_); }
  int fd() const { return socket_.get(); }
  // Of a channel: what the broker calls it.
  unsigned id() const { return id_; }

  // 0, or the errno value of sendmsg(2). Blocks while there is no room.
  int send_bytes(std::string_view bytes, const std::vector<int>& fds = {}) const;
  int send(const wire::ClientMessage& message, const std::vector<int>& fds = {}) const;

  // The next message; nothing when the broker closed the socket, or sends no message.
  std::optional<Answer> receive() const;
  // Waits for the other end to be closed; true when it is, whatever came before.
  bool wait_for_end() const;
  void close() { socket_.reset(); }

  // Steps of an honest client. `enter` is Hello and Sealed.
  std::optional<Answer> hello(const std::string& policy) const;
  bool seal(unsigned layers) const;
  bool enter(const std::string& policy) const;
  RawPeer new_channel() const;
  std::optional<Answer> ask(const wire::ClientMessage& request) const;
  // The same, passing over the answer that it takes long.
  std::optional<Answer> ask_and_wait(const wire::ClientMessage& request) const;

 private:
  Fd socket_;
  unsigned id_ = 0;
};

wire::ClientMessage hello_message(const std::string& policy, unsigned min_version = wire::VERSION,
                                  unsigned max_version = wire::VERSION);
wire::ClientMessage sealed_message(unsigned layers);
wire::ClientMessage new_channel_message();
wire::ClientMessage cancel_message(unsigned sequence);
// Of the absolute `path`, for `sequence`; `call` is yours to set.
wire::ClientMessage request_message(unsigned sequence, const std::string& path);
wire::ClientMessage open_message(unsigned sequence, const std::string& path, unsigned long flags);

}  // namespace torno::test
