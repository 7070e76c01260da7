// connect: the socket travels to the broker with the address. The broker only starts the
// connection; a program whose socket blocks waits for it here, so that no thread of the broker is
// held.
#include <fcntl.h>
#include <linux/time_types.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>

#include "sandboxee/ask.h"
#include "sandboxee/calls/calls.h"
#include "sandboxee/signals.h"
#include "sandboxee/user_memory.h"

namespace torno::calls {
namespace {

// Between two tries at a unix socket whose queue of connections is full.
constexpr std::int64_t kRetryNanoseconds = 5'000'000;

bool is_relative_unix_path(const char* address, std::size_t size) {
  constexpr std::size_t kPathOffset = offsetof(sockaddr_un, sun_path);
  sa_family_t family;
  if (size <= kPathOffset) return false;
  __builtin_memcpy(&family, address, sizeof family);
  const char first = address[kPathOffset];
  return family == AF_UNIX && first != '\0' && first != '/';
}

long ask_connect(Trap& trap, int socket, raw::Word address, std::size_t size) {
  SlotLease slot(trap);
  if (slot.error() != 0) return slot.error();
  if (!copy_in(slot->address, address, size)) return -EFAULT;
  Target target;
  if (is_relative_unix_path(slot->address, size)) {
    const long error = add_cwd(*slot, target);
    if (error != 0) return error;
  }
  target.path = slot->address;
  target.path_size = size;
  target.fd = socket;
  torno_wire_Request request{};
  request.which_call = torno_wire_Request_connect_tag;
  return ask(*slot, trap, request, target).result;
}

bool blocks(int socket) {
  const long flags = raw::call(__NR_fcntl, socket, F_GETFL);
  return flags >= 0 && (flags & O_NONBLOCK) == 0;
}

std::int64_t now_nanoseconds() {
  timespec now{};
  raw::call(__NR_clock_gettime, CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

// When SO_SNDTIMEO ends a wait that begins now; -1: never.
std::int64_t send_deadline(int socket) {
  timeval timeout{};
  socklen_t size = sizeof timeout;
  if (raw::call(__NR_getsockopt, socket, SOL_SOCKET, SO_SNDTIMEO, &timeout, &size) != 0) return -1;
  if (timeout.tv_sec == 0 && timeout.tv_usec == 0) return -1;
  return now_nanoseconds() + timeout.tv_sec * 1'000'000'000 + timeout.tv_usec * 1'000;
}

// Sending nothing waits for the end of the handshake exactly as connect does: for SO_SNDTIMEO,
// with the same error, and interrupted or restarted like it.
long wait_connected(const Trap& trap, int socket, long timed_out) {
  const long result = wait_interruptibly(
      trap, [&] { return raw::call(__NR_sendto, socket, nullptr, 0, MSG_NOSIGNAL, nullptr, 0); });
  return result == -EAGAIN ? timed_out : result;
}

long wait_for_retry(const Trap& trap) {
  timespec delay{0, kRetryNanoseconds};
  return wait_interruptibly(trap, [&] { return raw::call(__NR_nanosleep, &delay, nullptr); });
}

}  // namespace

long connect(Trap& trap) {
  const int socket = trap.as_int(0);
  const int size = trap.as_int(2);
  if (socket < 0 || is_reserved(socket)) return -EBADF;
  if (size < 0 || static_cast<std::size_t>(size) > kMaxAddress) return -EINVAL;

  std::int64_t deadline = 0;
  for (;;) {
    const long result = ask_connect(trap, socket, trap.args[1], static_cast<std::size_t>(size));
    const bool starts = result == -EINPROGRESS || result == -EALREADY;
    if ((!starts && result != -EAGAIN) || !blocks(socket)) return result;
    if (starts) {
      const long waited = wait_connected(trap, socket, result);
      if (waited == -EINTR || waited == result) return waited;
      // Once more, for the socket's own state: it leaves "connecting" when connect is told the end.
      ask_connect(trap, socket, trap.args[1], static_cast<std::size_t>(size));
      return waited;
    }
    if (deadline == 0) deadline = send_deadline(socket);
    if (deadline >= 0 && now_nanoseconds() >= deadline) return result;
    if (wait_for_retry(trap) == -EINTR) return -EINTR;
  }
}

}  // namespace torno::calls
