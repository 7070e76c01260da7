#include <linux/sockios.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include "broker/session/reply.h"
#include "broker/session/session.h"

namespace torno::session {
namespace {

// The kernel counts the memory of the messages that wait, and each takes so much at least, for its
// structures (SKB_TRUESIZE; 768 on x86_64): one short message is counted as one.
constexpr int kLeastMessage = 512;

// What is said instead of a message whose descriptors cannot be sent, in `buffer`: the kernel lets
// the broker's user have no more in flight. Nothing: without them there is no going on.
std::optional<std::string_view> without_fds(std::string_view bytes, std::span<char> buffer) {
  wire::BrokerMessage message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return std::nullopt;
  if (message.has_reply()) return write_reply(message.reply().sequence(), -ENFILE, buffer);
  if (!message.has_channel_ready()) return std::nullopt;
  // The broker's end of the channel goes when its other end is closed.
  message.mutable_channel_ready()->Clear();
  message.mutable_channel_ready()->set_error(ENFILE);
  message.SerializeToArray(buffer.data(), static_cast<int>(buffer.size()));
  return std::string_view(buffer.data(), message.ByteSizeLong());
}

}  // namespace

void Session::answer(const LinkPtr& link, const wire::BrokerMessage& message, std::span<Fd> fds) {
  const std::size_t size = message.ByteSizeLong();
  if (size > workspace_.sent.size()) {  // nothing that a broker says is that long
    send_failed(link);
    return;
  }
  message.SerializeWithCachedSizesToArray(reinterpret_cast<std::uint8_t*>(workspace_.sent.data()));
  pass(link, {workspace_.sent.data(), size}, fds);
}

void Session::answer_result(const LinkPtr& channel, std::uint32_t sequence, std::int32_t result,
                            std::span<Fd> fds) {
  pass(channel, write_reply(sequence, result, workspace_.sent), fds);
}

void Session::answer_error(const LinkPtr& channel, std::uint32_t sequence, int error) {
  answer_result(channel, sequence, -error, {});
}

void Session::pass(const LinkPtr& link, std::string_view bytes, std::span<Fd> fds) {
  int error = EAGAIN;
  if (link->queue.empty()) {
    std::array<int, Datagram::kMaxFds> numbers{};
    for (std::size_t i = 0; i < fds.size(); ++i) numbers[i] = fds[i].get();
    error = send(link->socket.get(), bytes, std::span(numbers).first(fds.size()));
  }
  if (error == 0) {
    link->unread_fds += static_cast<std::uint32_t>(fds.size());
    sent_fds_ += static_cast<std::uint32_t>(fds.size());
    return;
  }
  if (error != EAGAIN) {
    // Whoever asked is not there to hold them open, so closing them may take long.
    for (Fd& fd : fds) discard(std::move(fd));
  }
  if (error == ETOOMANYREFS) {
    if (const auto instead = without_fds(bytes, workspace_.sent)) return pass(link, *instead, {});
  }
  if (error != EAGAIN) {
    send_failed(link);
    return;
  }
  Link::Answer waiting{std::string(bytes), {}};
  for (Fd& fd : fds) waiting.fds.push_back(std::move(fd));
  queue(link, std::move(waiting));
}

void Session::queue(const LinkPtr& link, Link::Answer answer) {
  if (link->queue.size() >= kMaxQueuedMessages) {
    for (Fd& fd : answer.fds) discard(std::move(fd));
    violate("it does not read its answers");
    return;
  }
  link->queue.push_back(std::move(answer));
  if (link->queue.size() == 1) want_room(*link, true);
}

void Session::flush(const LinkPtr& link) {
  while (!link->queue.empty()) {
    Link::Answer& next = link->queue.front();
    std::array<int, Datagram::kMaxFds> numbers{};
    for (std::size_t i = 0; i < next.fds.size(); ++i) numbers[i] = next.fds[i].get();
    const int error =
        send(link->socket.get(), next.bytes, std::span(numbers).first(next.fds.size()));
    if (error == EAGAIN) return;
    if (error == ETOOMANYREFS) {
      if (const auto instead = without_fds(next.bytes, workspace_.sent)) {
        next.bytes = *instead;
        auto unsent = std::exchange(next.fds, {});
        for (Fd& fd : unsent) discard(std::move(fd));
        if (ended_) return;
        continue;
      }
    }
    if (error != 0) {
      send_failed(link);
      return;
    }
    link->unread_fds += static_cast<std::uint32_t>(next.fds.size());
    sent_fds_ += static_cast<std::uint32_t>(next.fds.size());
    Link::Answer sent = std::move(next);
    link->queue.pop_front();
    for (Fd& fd : sent.fds) discard(std::move(fd));
    if (ended_) return;
  }
  want_room(*link, false);
}

void Session::want_room(const Link& link, bool wanted) {
  if (const auto watch = link.watch) loop_.want_room(*watch, wanted);
}

// Does the client leave the descriptors of its answers in the socket? Asked when a request comes:
// by then an honest client has received all of them.
bool Session::hoards(Link& channel) {
  if (channel.unread_fds >= kLookForUnreadFds) look_for_unread(channel);
  if (channel.unread_fds >= kMaxUnreadFds) return true;
  if (sent_fds_ < kMaxSessionUnreadFds) return false;
  sent_fds_ = 0;
  for (const auto& [id, each] : channels_) {
    if (each->unread_fds > 0) look_for_unread(*each);
    sent_fds_ += each->unread_fds;
  }
  return sent_fds_ > kMaxSessionUnreadFds / 2;
}

void Session::look_for_unread(Link& channel) {
  int bytes = 0;
  if (::ioctl(channel.socket.get(), SIOCOUTQ, &bytes) != 0) return;
  const int messages = bytes == 0 ? 0 : std::max(1, bytes / kLeastMessage);
  channel.unread_fds = std::min(channel.unread_fds, static_cast<std::uint32_t>(messages));
}

void Session::send_failed(const LinkPtr& link) {
  if (link->is_control()) {
    end();
  } else {
    forget(link);
  }
}

}  // namespace torno::session
