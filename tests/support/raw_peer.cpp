#include "tests/support/raw_peer.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace torno::test {
namespace {

constexpr std::size_t kMostFds = 253;  // SCM_MAX_FD

}  // namespace

RawPeer RawPeer::connect(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), std::min(path.size(), sizeof address.sun_path - 1));
  Fd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    socket.reset();
  }
  return RawPeer(std::move(socket));
}

int RawPeer::send_bytes(std::string_view bytes, const std::vector<int>& fds) const {
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kMostFds)]{};
  iovec piece{const_cast<char*>(bytes.data()), bytes.size()};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  if (!fds.empty()) {
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(sizeof(int) * fds.size());
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int) * fds.size());
    std::memcpy(CMSG_DATA(header), fds.data(), sizeof(int) * fds.size());
  }
  return ::sendmsg(fd(), &message, MSG_NOSIGNAL) < 0 ? errno : 0;
}

int RawPeer::send(const wire::ClientMessage& message, const std::vector<int>& fds) const {
  return send_bytes(message.SerializeAsString(), fds);
}

std::optional<RawPeer::Answer> RawPeer::receive() const {
  std::vector<char> buffer(wire::MAX_MESSAGE);
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kMostFds)];
  iovec piece{buffer.data(), buffer.size()};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t length = ::recvmsg(fd(), &message, MSG_CMSG_CLOEXEC);
  // A broker that closed with messages of ours unread shows as this once, before what it sent.
  if (length < 0 && errno == ECONNRESET) length = ::recvmsg(fd(), &message, MSG_CMSG_CLOEXEC);

  Answer answer;
  for (cmsghdr* header = length < 0 ? nullptr : CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(header) + i * sizeof fd, sizeof fd);
      answer.fds.emplace_back(fd);
    }
  }
  if (length <= 0 || !answer.message.ParseFromArray(buffer.data(), static_cast<int>(length))) {
    return std::nullopt;
  }
  return answer;
}

bool RawPeer::wait_for_end() const {
  char buffer[wire::MAX_MESSAGE];
  while (true) {
    const ssize_t length = ::recv(fd(), buffer, sizeof buffer, 0);
    if (length == 0 || (length < 0 && errno == ECONNRESET)) return true;
    if (length < 0 && errno != EINTR) return false;
  }
}

std::optional<RawPeer::Answer> RawPeer::hello(const std::string& policy) const {
  if (send(hello_message(policy)) != 0) return std::nullopt;
  return receive();
}

bool RawPeer::seal(unsigned layers) const {
  return send(sealed_message(layers)) == 0;
}

bool RawPeer::enter(const std::string& policy) const {
  const auto welcome = hello(policy);
  return welcome && welcome->message.has_welcome() && seal(welcome->message.welcome().layers());
}

RawPeer RawPeer::new_channel() const {
  if (send(new_channel_message()) != 0) return RawPeer(Fd());
  auto answer = receive();
  if (!answer || !answer->message.has_channel_ready() || answer->fds.size() != 1) {
    return RawPeer(Fd());
  }
  return RawPeer(std::move(answer->fds[0]), answer->message.channel_ready().id());
}

std::optional<RawPeer::Answer> RawPeer::ask(const wire::ClientMessage& request) const {
  if (send(request) != 0) return std::nullopt;
  return receive();
}

std::optional<RawPeer::Answer> RawPeer::ask_and_wait(const wire::ClientMessage& request) const {
  std::optional<Answer> answer = ask(request);
  while (answer && answer->message.reply().pending()) answer = receive();
  return answer;
}

wire::ClientMessage hello_message(const std::string& policy, unsigned min_version,
                                  unsigned max_version) {
  wire::ClientMessage message;
  message.mutable_hello()->set_policy(policy);
  message.mutable_hello()->set_min_version(min_version);
  message.mutable_hello()->set_max_version(max_version);
  return message;
}

wire::ClientMessage sealed_message(unsigned layers) {
  wire::ClientMessage message;
  message.mutable_sealed()->set_layers(layers);
  return message;
}

wire::ClientMessage new_channel_message() {
  wire::ClientMessage message;
  message.mutable_new_channel();
  return message;
}

wire::ClientMessage cancel_message(unsigned sequence) {
  wire::ClientMessage message;
  message.mutable_cancel()->set_sequence(sequence);
  return message;
}

wire::ClientMessage request_message(unsigned sequence, const std::string& path) {
  wire::ClientMessage message;
  message.mutable_request()->set_sequence(sequence);
  message.mutable_request()->set_path(path);
  return message;
}

wire::ClientMessage open_message(unsigned sequence, const std::string& path, unsigned long flags) {
  wire::ClientMessage message = request_message(sequence, path);
  message.mutable_request()->mutable_open()->set_flags(flags);
  return message;
}

}  // namespace torno::test
