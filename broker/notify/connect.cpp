// connect: the broker connects a duplicate of the program's own socket. One that blocks is waited
// for on a thread of the pool, as long as the kernel would.
#include "broker/notify/connect.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

#include "broker/notify/place.h"

namespace torno::notify {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMaxAddress = sizeof(sockaddr_storage);

// Between two tries at a unix socket whose queue of connections is full.
constexpr std::chrono::milliseconds kRetry{5};

bool is_relative_unix_path(std::string_view address) {
  constexpr std::size_t kPathOffset = offsetof(sockaddr_un, sun_path);
  sa_family_t family = AF_UNSPEC;
  if (address.size() <= kPathOffset) return false;
  std::memcpy(&family, address.data(), sizeof family);
  const char first = address[kPathOffset];
  return family == AF_UNIX && first != '\0' && first != '/';
}

// When SO_SNDTIMEO ends a wait that begins now; nothing: never.
std::optional<Clock::time_point> send_deadline(int socket) {
  timeval timeout{};
  socklen_t size = sizeof timeout;
  if (::getsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &timeout, &size) != 0) return std::nullopt;
  if (timeout.tv_sec == 0 && timeout.tv_usec == 0) return std::nullopt;
  return Clock::now() + std::chrono::seconds(timeout.tv_sec) +
         std::chrono::microseconds(timeout.tv_usec);
}

// Waits for `events`, or for nothing until the time is over. 0, EINTR, or EAGAIN: it is over.
int wait(int socket, short events, std::optional<Clock::time_point> until) {
  using std::chrono::duration_cast;
  using std::chrono::milliseconds;
  int left = -1;
  if (until) {
    const auto time = duration_cast<milliseconds>(*until - Clock::now()) + milliseconds(1);
    left = static_cast<int>(std::clamp<std::int64_t>(time.count(), 0, INT32_MAX));
  }
  pollfd ready{socket, events, 0};
  const int count = ::poll(&ready, events != 0 ? 1 : 0, left);
  if (count < 0) return errno;
  return count > 0 ? 0 : EAGAIN;
}

int take_error(int socket) {
  int error = 0;
  socklen_t size = sizeof error;
  return ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

}  // namespace

long read_connect(Call& call, Texts& texts) {
  const int size = call.as_int(2);
  if (size < 0 || static_cast<std::size_t>(size) > kMaxAddress) return -EINVAL;
  auto socket = call.target.descriptor(call.as_int(0));
  if (!socket) return -socket.error();
  call.fd = std::move(*socket);
  const auto bytes = std::span(texts.path).first(static_cast<std::size_t>(size));
  if (const int error = call.target.read(call.word(1), std::as_writable_bytes(bytes)); error != 0) {
    return -error;
  }
  call.request.path = {bytes.data(), bytes.size()};
  return is_relative_unix_path(call.request.path) ? add_cwd(call, texts) : 0;
}

bool blocks(int socket) {
  const int flags = ::fcntl(socket, F_GETFL);
  return flags >= 0 && (flags & O_NONBLOCK) == 0;
}

files::Outcome connect_and_wait(const files::Files& files, const policy::PolicyStack& policy,
                                const Call& call) {
  const auto connect = [&] {
    return session::kConnectCall.perform(files, policy, call.asked(), files::Wait::kMayBlock);
  };
  const int socket = call.fd.get();
  const auto deadline = send_deadline(socket);
  for (;;) {
    files::Outcome outcome = connect();
    const bool started = outcome.error == EINPROGRESS || outcome.error == EALREADY;
    if (!started && outcome.error != EAGAIN) return outcome;
    if (!blocks(socket)) return outcome;
    if (started) {
      const int waited = wait(socket, POLLOUT, deadline);
      if (waited == EAGAIN) return outcome;  // the kernel says EINPROGRESS then
      outcome.error = waited != 0 ? waited : take_error(socket);
      return outcome;
    }
    if (deadline && Clock::now() >= *deadline) return outcome;
    if (const int waited = wait(socket, 0, Clock::now() + kRetry); waited == EINTR) {
      outcome.error = EINTR;
      return outcome;
    }
  }
}

}  // namespace torno::notify
