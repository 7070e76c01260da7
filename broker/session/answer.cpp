#include <linux/sockios.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cerrno>

#include "broker/session/session.h"

namespace torno::session {
namespace {

// The kernel's bookkeeping of one queued datagram alone takes more bytes than this.
constexpr int kLeastMessageCost = 512;

}  // namespace

void Session::answer(const LinkPtr& link, const wire::BrokerMessage& message, std::span<Fd> fds) {
  const std::size_t size = message.ByteSizeLong();
  if (size > workspace_.sent.size()) {  // nothing that a broker says is that long
    send_failed(link);
    return;
  }
  message.SerializeWithCachedSizesToArray(reinterpret_cast<std::uint8_t*>(workspace_.sent.data()));
  const std::string_view bytes(workspace_.sent.data(), size);

  int error = EAGAIN;
  if (link->queue.empty()) {
    std::array<int, Datagram::kMaxFds> numbers{};
    for (std::size_t i = 0; i < fds.size(); ++i) numbers[i] = fds[i].get();
    error = send(link->socket.native_handle(), bytes, std::span(numbers).first(fds.size()));
  }
  if (error == 0) {
    count_sent(*link, fds.size());
    return;
  }
  if (error == ETOOMANYREFS && message.has_reply() && !fds.empty()) {
    // The kernel lets the broker's user have no more descriptors in flight.
    answer_error(link, message.reply().sequence(), ENFILE);
    return;
  }
  if (error != EAGAIN) {
    send_failed(link);
    return;
  }
  Link::Answer waiting{std::string(bytes), {}};
  for (Fd& fd : fds) waiting.fds.push_back(std::move(fd));
  queue(link, std::move(waiting));
}

void Session::answer_error(const LinkPtr& channel, std::uint32_t sequence, int error) {
  wire::BrokerMessage& message = workspace_.decoder.new_answer();
  message.mutable_reply()->set_sequence(sequence);
  message.mutable_reply()->set_result(-error);
  answer(channel, message, {});
}

void Session::queue(const LinkPtr& link, Link::Answer answer) {
  if (link->queue.size() >= kMaxQueuedMessages) {
    violate("it does not read its answers");
    return;
  }
  link->queue.push_back(std::move(answer));
  if (link->queue.size() == 1) await_room(link);
}

void Session::await_room(const LinkPtr& link) {
  link->socket.async_wait(boost::asio::posix::stream_descriptor::wait_write,
                          [self = shared_from_this(), link](boost::system::error_code error) {
                            if (error || self->ended_ || !link->is_open()) return;
                            self->flush(link);
                          });
}

void Session::flush(const LinkPtr& link) {
  while (!link->queue.empty()) {
    const Link::Answer& next = link->queue.front();
    std::array<int, Datagram::kMaxFds> numbers{};
    for (std::size_t i = 0; i < next.fds.size(); ++i) numbers[i] = next.fds[i].get();
    const int error =
        send(link->socket.native_handle(), next.bytes, std::span(numbers).first(next.fds.size()));
    if (error == EAGAIN) {
      await_room(link);
      return;
    }
    if (error != 0) {
      send_failed(link);
      return;
    }
    const std::size_t fds = next.fds.size();
    link->queue.pop_front();
    count_sent(*link, fds);
    if (ended_) return;
  }
  listen(link);
}

// Looks at the sockets once in a thousand descriptors, so that the count costs an honest session
// nothing.
void Session::count_sent(Link& link, std::size_t fds) {
  if (fds == 0) return;
  link.unread_fds += static_cast<std::uint32_t>(fds);
  sent_fds_ += fds;
  if (sent_fds_ < kMaxUnreadFds) return;

  std::size_t unread = 0;
  const auto look = [&unread](Link& at) {
    // What lies unread, in kernel memory: the answer just sent is always part of it.
    int bytes = 0;
    if (::ioctl(at.socket.native_handle(), SIOCOUTQ, &bytes) == 0) {
      at.unread_fds =
          std::min(at.unread_fds, static_cast<std::uint32_t>(bytes / kLeastMessageCost));
    }
    unread += at.unread_fds;
  };
  look(*control_);
  for (const auto& [id, channel] : channels_) look(*channel);
  sent_fds_ = 0;
  if (unread > kMaxUnreadFds) violate("it does not receive the descriptors it asked for");
}

void Session::send_failed(const LinkPtr& link) {
  if (link->is_control()) {
    end();
  } else {
    forget(link);
  }
}

}  // namespace torno::session
