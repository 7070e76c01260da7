#include "sandboxee/ask.h"

#include <fcntl.h>
#include <sys/socket.h>

#include "sandboxee/broker_gone.h"
#include "sandboxee/message.h"
#include "sandboxee/signals.h"

namespace torno {
namespace {

// Descriptors go out on the control socket, the only one on which the filter lets sendmsg through.
long send_with_fds(const wire::Pieces& pieces, const int* fds, std::size_t count) {
  alignas(cmsghdr) char control[CMSG_SPACE(2 * sizeof(int))] = {};
  const std::size_t size = count * sizeof *fds;
  auto* header = reinterpret_cast<cmsghdr*>(control);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(size);
  __builtin_memcpy(CMSG_DATA(header), fds, size);
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(pieces.piece);
  message.msg_iovlen = static_cast<std::size_t>(pieces.count);
  message.msg_control = control;
  message.msg_controllen = CMSG_SPACE(size);
  return raw::call(__NR_sendmsg, kControlFd, &message, MSG_NOSIGNAL);
}

// Of a call whose descriptors are not open: the first that is not tells.
long closed_descriptor(const Target& target) {
  const bool is_first = target.fd >= 0 && raw::call(__NR_fcntl, target.fd, F_GETFD) < 0;
  const bool from_path = is_first ? target.fd_from_path : target.second_fd_from_path;
  return from_path ? -ENOENT : -EBADF;
}

long send(Slot& slot, torno_wire_Request& request, const Target& target) {
  int fds[2];
  std::size_t count = 0;
  if (target.fd >= 0) fds[count++] = target.fd;
  if (target.second_fd >= 0) fds[count++] = target.second_fd;
  if (++slot.sequence == 0) slot.sequence = 1;
  request.sequence = slot.sequence;
  request.channel = count > 0 ? slot.channel : 0;
  request.directory = target.directory;
  request.second_directory = target.second_directory;
  wire::Pieces pieces;
  wire::encode_request(slot, request, target, pieces);
  long sent;
  do {
    // writev on a SEQPACKET socket is one datagram, and raises no SIGPIPE.
    sent = count > 0 ? send_with_fds(pieces, fds, count)
                     : raw::call(__NR_writev, slot.fd, pieces.piece, pieces.count);
  } while (sent == -EINTR);
  if (sent == -EBADF && count == 0) return -ENOTCONN;  // the program got at the channel itself
  if (sent == -EBADF) return closed_descriptor(target);
  return sent < 0 ? sent : 0;
}

void send_cancel(Slot& slot) {
  unsigned char message[2 + torno_wire_Cancel_size];
  wire::FieldWriter writer(message);
  writer.bytes_head(torno_wire_ClientMessage_cancel_tag, torno_wire_Cancel_size);
  writer.fixed32(torno_wire_Cancel_sequence_tag, slot.sequence);
  raw::call(__NR_sendto, slot.fd, message, sizeof message, MSG_NOSIGNAL, nullptr, 0);
}

Received receive_reply(Slot& slot, int flags) {
  Received received;
  do {
    received = receive(slot.fd, slot.received, sizeof slot.received, flags);
  } while (received.size == -EINTR);
  if (received.size == 0 || received.size == -ECONNRESET) {
    // The kernel tells of a closed peer first, even when a reply still lies in the queue.
    received = receive(slot.fd, slot.received, sizeof slot.received, flags | MSG_DONTWAIT);
    if (received.size == -EAGAIN) received.size = 0;
  }
  return received;
}

// Waits for a reply to the request under way, with the program's signals let in once the broker
// has said that it may take long.
Received receive_current(Slot& slot, const Trap& trap, int flags) {
  bool pending = false;
  bool cancelled = false;
  for (;;) {
    Received received;
    if (pending && !cancelled) {
      received.size = wait_interruptibly(trap, [&] {
        received = receive(slot.fd, slot.received, sizeof slot.received, flags);
        return received.size;
      });
      if (received.size == -EINTR) {
        cancelled = true;
        send_cancel(slot);
        continue;
      }
    }
    if (!pending || cancelled || received.size <= 0) received = receive_reply(slot, flags);
    if (received.size <= 0) return received;
    if (!wire::decode_reply(slot, static_cast<std::size_t>(received.size))) {
      received.close_fds();
      received.size = -EPROTO;
      return received;
    }
    const bool stale = slot.reply.sequence != slot.sequence;
    if (!stale && !slot.reply.pending) return received;
    received.close_fds();
    pending = pending || !stale;
  }
}

}  // namespace

Answer ask(Slot& slot, Trap& trap, torno_wire_Request& request, const Target& target, int max_fds,
           int receive_flags) {
  Answer answer{};
  answer.result = send(slot, request, target);
  if (answer.result == 0) {
    answer.received = receive_current(slot, trap, receive_flags);
    // A broken reply is as good as none: nothing on this channel can be trusted any more.
    if (answer.received.size <= 0) answer.result = -EPIPE;
  }
  if (answer.result < 0) {
    answer.result = broker_error(answer.result);
    if (answer.result == -EIO) pool::drop_channel(slot);
    return answer;
  }

  answer.result = slot.reply.result;
  if (answer.result == -EACCES || answer.result == -EPERM) trap.refused = true;
  const int kept = answer.result < 0 ? 0 : max_fds;
  if (kept > 0 && (answer.received.fds_lost || answer.received.fd_count == 0)) {
    answer.received.close_fds();
    answer.result = answer.received.fds_lost ? -EMFILE : -EIO;
  }
  answer.received.close_fds(kept);
  return answer;
}

}  // namespace torno
