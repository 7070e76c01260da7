#include "tests/sandboxee/stand_in_broker.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>
#include <vector>

#include "broker/filter/program.h"
#include "broker/policy/loader.h"
#include "proto/wire.pb.h"

namespace torno::test {
namespace {

struct Datagram {
  wire::ClientMessage message;
  std::vector<Fd> fds;
};

bool send_bytes(int socket, const std::string& bytes, const std::vector<int>& fds = {}) {
  iovec piece{const_cast<char*>(bytes.data()), bytes.size()};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(4 * sizeof(int))] = {};
  if (!fds.empty()) {
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(fds.size() * sizeof(int));
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
    std::copy(fds.begin(), fds.end(), reinterpret_cast<int*>(CMSG_DATA(header)));
  }
  return sendmsg(socket, &message, MSG_NOSIGNAL) >= 0;
}

bool send_message(int socket, const wire::BrokerMessage& message,
                  const std::vector<int>& fds = {}) {
  return send_bytes(socket, message.SerializeAsString(), fds);
}

bool receive(int socket, Datagram& datagram) {
  std::string bytes(wire::MAX_MESSAGE, '\0');
  iovec piece{bytes.data(), bytes.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(4 * sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const ssize_t size = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  if (size <= 0) return false;
  datagram.fds.clear();
  if (const cmsghdr* header = CMSG_FIRSTHDR(&message)) {
    const auto* fds = reinterpret_cast<const int*>(CMSG_DATA(header));
    const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) datagram.fds.emplace_back(fds[i]);
  }
  return datagram.message.ParseFromArray(bytes.data(), static_cast<int>(size));
}

Fd compiled_filter() {
  const policy::Loaded loaded =
      policy::load_text("file { path: \"/**\" allow: READ }", "stand-in", {});
  if (loaded.policy == nullptr) std::abort();
  auto program = filter::compile(*loaded.policy);
  if (!program) std::abort();
  auto memfd = filter::to_memfd(*program);
  if (!memfd) std::abort();
  return std::move(*memfd);
}

class Server {
 public:
  Server(Fault fault, Fd control) : fault_(fault) { sockets_.push_back(std::move(control)); }

  void run() {
    for (;;) {
      std::vector<pollfd> polled;
      for (const Fd& socket : sockets_) polled.push_back({socket.get(), POLLIN, 0});
      if (poll(polled.data(), polled.size(), -1) < 0) return;
      for (std::size_t i = 0; i < polled.size(); ++i) {
        if (polled[i].revents != 0 && !serve(i)) return;
      }
    }
  }

 private:
  // Channel i is sockets_[i]; the control socket is the first.
  bool serve(std::size_t index) {
    Datagram datagram;
    if (!receive(sockets_[index].get(), datagram)) {
      if (index == 0) return false;
      sockets_[index].reset();
      return true;
    }
    switch (datagram.message.kind_case()) {
      case wire::ClientMessage::kHello:
        return answer_hello();
      case wire::ClientMessage::kNewChannel:
        return make_channel();
      case wire::ClientMessage::kRequest: {
        const auto& request = datagram.message.request();
        const auto channel = request.channel() != 0 ? request.channel() : index;
        return answer_request(sockets_[channel].get(), request, datagram.fds);
      }
      case wire::ClientMessage::kCancel:
        return reply(sockets_[index].get(), datagram.message.cancel().sequence(), -EINTR);
      default:
        return true;
    }
  }

  bool refuse(wire::Refused::Reason reason, const std::string& text) {
    wire::BrokerMessage message;
    message.mutable_refused()->set_reason(reason);
    message.mutable_refused()->set_message(text);
    message.mutable_refused()->set_min_version(7);
    message.mutable_refused()->set_max_version(9);
    send_message(control(), message);
    return false;
  }

  bool answer_hello() {
    switch (fault_) {
      case Fault::kMute:
        return true;
      case Fault::kHangUpOnHello:
        return false;
      case Fault::kGarbage:
        send_bytes(control(), "HTTP/1.0 400 Bad Request\r\n\r\n");
        return false;
      case Fault::kRefuse:
        return refuse(wire::Refused::REASON_POLICY, "no policy \"test\"\nforged line");
      case Fault::kRefuseVersion:
        return refuse(wire::Refused::REASON_VERSION, "");
      default:
        return welcome();
    }
  }

  bool welcome() {
    wire::BrokerMessage message;
    wire::Welcome& welcome = *message.mutable_welcome();
    welcome.set_version(fault_ == Fault::kOtherVersion ? 3 : 2);
    welcome.set_layers(wire::LAYER_NO_NEW_PRIVS |
                       (fault_ == Fault::kNoFilterAsked ? 0 : wire::LAYER_SECCOMP));
    if (fault_ == Fault::kKillOnRequest) welcome.set_broker_gone(wire::BROKER_GONE_KILL);
    if (fault_ == Fault::kNoProgram) return send_message(control(), message);
    Fd program = compiled_filter();
    if (fault_ == Fault::kUnsealedProgram) program = Fd(memfd_create("filter", MFD_CLOEXEC));
    if (fault_ == Fault::kEmptyProgram) {
      program = Fd(memfd_create("filter", MFD_CLOEXEC | MFD_ALLOW_SEALING));
      fcntl(program.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
    }
    return send_message(control(), message, {program.get()});
  }

  bool make_channel() {
    if (fault_ == Fault::kHangUpOnChannel) return false;
    wire::BrokerMessage message;
    if (fault_ == Fault::kNoChannel) {
      message.mutable_channel_ready()->set_error(EMFILE);
      return send_message(control(), message);
    }
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) return false;
    const Fd theirs(pair[1]);
    message.mutable_channel_ready()->set_id(static_cast<unsigned>(sockets_.size()));
    sockets_.emplace_back(pair[0]);
    return send_message(control(), message, {theirs.get()});
  }

  bool reply(int channel, unsigned sequence, int result, const std::vector<int>& fds = {},
             bool pending = false) {
    wire::BrokerMessage message;
    message.mutable_reply()->set_sequence(sequence);
    message.mutable_reply()->set_result(result);
    message.mutable_reply()->set_pending(pending);
    send_message(channel, message, fds);
    return true;
  }

  bool answer_request(int channel, const wire::Request& request, const std::vector<Fd>&) {
    const Fd file(open(request.path().c_str(), O_RDONLY | O_CLOEXEC));
    const int error = file ? 0 : -errno;
    const std::vector<int> fds = file ? std::vector<int>{file.get()} : std::vector<int>{};
    const unsigned sequence = request.sequence();
    switch (fault_) {
      case Fault::kHangUpOnRequest:
      case Fault::kKillOnRequest:
        return false;
      case Fault::kHangUpAfterReply:
        reply(channel, sequence, error, fds);
        return false;
      case Fault::kGarbageReply:
        return send_bytes(channel, std::string("\x22\x7f") + "short", fds);
      case Fault::kHugeReply:
        return send_bytes(channel, std::string(20'000, '\x22'), fds);
      case Fault::kNoFd:
        return reply(channel, sequence, 0);
      case Fault::kTwoFds:
        return reply(channel, sequence, 0, {file.get(), file.get()});
      case Fault::kFdBesideError:
        return reply(channel, sequence, -EACCES, {file.get(), file.get()});
      case Fault::kStaleReplies:
        reply(channel, sequence - 1, 0, fds);
        reply(channel, sequence + 1, -EPERM, {file.get(), file.get()});
        return reply(channel, sequence, error, fds);
      case Fault::kPending:
        reply(channel, sequence, 0, {}, true);
        return reply(channel, sequence, error, fds);
      case Fault::kSlow:
        reply(channel, sequence, 0, {}, true);
        usleep(200'000);
        return reply(channel, sequence, error, fds);
      case Fault::kPendingUntilCancel:
        return reply(channel, sequence, 0, {}, true);
      default:
        return reply(channel, sequence, error, fds);
    }
  }

  int control() const { return sockets_[0].get(); }

  Fault fault_;
  std::vector<Fd> sockets_;
};

}  // namespace

StandInBroker::StandInBroker(Fault fault) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) std::abort();
  Fd theirs(pair[0]);
  Fd ours(pair[1]);
  process_ = fork();
  if (process_ != 0) {
    socket_ = std::move(theirs);
    return;
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  theirs.reset();
  Server(fault, std::move(ours)).run();
  _exit(0);
}

StandInBroker::~StandInBroker() {
  kill(process_, SIGKILL);
  waitpid(process_, nullptr, 0);
}

}  // namespace torno::test
