#include "sandboxee/growth.h"

#include <fcntl.h>
#include <sys/socket.h>

#include "sandboxee/broker_gone.h"
#include "sandboxee/message.h"
#include "sandboxee/receive.h"
#include "sandboxee/translate/open_files.h"

namespace torno {
namespace {

// While it lives, the soft limit of descriptors is as high as the hard one, so that the reserved
// numbers can be reached. Another thread could now open a file on one of them, but only when it
// has used up all those below.
class RaisedLimit {
 public:
  explicit RaisedLimit(bool wanted)
      : raised_(wanted && !pool::growing().exchange(true, std::memory_order_acquire)) {
    if (raised_) open_files::raise();
  }
  RaisedLimit(const RaisedLimit&) = delete;
  RaisedLimit& operator=(const RaisedLimit&) = delete;
  ~RaisedLimit() {
    if (!raised_) return;
    open_files::restore();
    pool::growing().store(false, std::memory_order_release);
  }
  explicit operator bool() const { return raised_; }

 private:
  bool raised_;
};

}  // namespace

NewChannel request_channel(int control) {
  static constexpr unsigned char kNewChannel[] = {
      wire::tag(torno_wire_ClientMessage_new_channel_tag, wire::FieldType::kBytes), 0};
  long sent;
  do {
    sent =
        raw::call(__NR_sendto, control, kNewChannel, sizeof kNewChannel, MSG_NOSIGNAL, nullptr, 0);
  } while (sent == -EINTR);
  if (sent < 0) return {static_cast<int>(broker_error(sent)), 0};

  unsigned char buffer[64];
  Received answer;
  do {
    answer = receive(control, buffer, sizeof buffer, MSG_CMSG_CLOEXEC);
  } while (answer.size == -EINTR);
  if (answer.size <= 0) return {static_cast<int>(broker_error(answer.size)), 0};

  torno_wire_ChannelReady ready;
  if (!wire::decode_channel_ready({buffer, static_cast<std::size_t>(answer.size)}, ready)) {
    answer.close_fds();
    return {-EIO, 0};
  }
  if (ready.error != 0 || answer.fds_lost || answer.fd_count != 1) {
    answer.close_fds();
    return {answer.fds_lost ? -EMFILE : ready.error > 0 ? -ready.error : -EIO, 0};
  }
  return {answer.fds[0], ready.id};
}

long grow(Slot& slot, bool may_keep) {
  const RaisedLimit raised(may_keep);
  NewChannel made = request_channel(kControlFd);
  if (made.fd < 0) return made.fd;
  if (raised && made.fd < kFirstChannelFd) {
    const long placed = raw::call(__NR_fcntl, made.fd, F_DUPFD_CLOEXEC, kFirstChannelFd);
    if (!raw::failed(placed)) {
      raw::call(__NR_close, made.fd);
      made.fd = static_cast<int>(placed);
    }
  }
  slot.fd = made.fd;
  slot.channel = made.id;
  slot.one_shot = made.fd < kFirstChannelFd;
  return 0;
}

}  // namespace torno
