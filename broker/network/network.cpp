#include "broker/network/network.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <string>

#include "broker/network/address.h"

namespace torno::network {

namespace {

ConnectOutcome failed(int error) {
  ConnectOutcome outcome;
  outcome.error = error;
  return outcome;
}

ConnectOutcome wait_needed() {
  ConnectOutcome outcome;
  outcome.would_block = true;
  return outcome;
}

ConnectOutcome denied(std::string path, const policy::RuleSource* rule) {
  ConnectOutcome outcome = failed(EACCES);
  outcome.denial = files::Denial{.path = std::move(path), .wanted = policy::kNone, .rule = rule};
  return outcome;
}

int option(int socket, int name, int& value) {
  socklen_t size = sizeof value;
  return ::getsockopt(socket, SOL_SOCKET, name, &value, &size) == 0 ? 0 : errno;
}

// What the descriptor is, which may be anything at all. 0 or an errno value.
int check_socket(int socket, int& domain) {
  int type = 0;
  int protocol = 0;
  if (const int error = option(socket, SO_DOMAIN, domain); error != 0) return error;
  if (const int error = option(socket, SO_TYPE, type); error != 0) return error;
  if (const int error = option(socket, SO_PROTOCOL, protocol); error != 0) return error;
  const bool is_internet = domain == AF_INET || domain == AF_INET6;
  const bool known = is_internet ? protocol == IPPROTO_TCP : domain == AF_UNIX && protocol == 0;
  // A connected UDP or raw socket sends to whatever address its messages name.
  return known && type == SOCK_STREAM ? 0 : EACCES;
}

// Non-blocking while connect(2) runs. The client shares the description and may clear the flag at
// that very moment: which is why only a thread that may be held gets here, and why its holder has
// it interrupted after a while (EINTR).
int start(int socket, const sockaddr* address, socklen_t size) {
  const int flags = ::fcntl(socket, F_GETFL);
  if (flags < 0) return errno;
  const bool was_blocking = (flags & O_NONBLOCK) == 0;
  if (was_blocking && ::fcntl(socket, F_SETFL, flags | O_NONBLOCK) != 0) return errno;
  const int error = ::connect(socket, address, size) == 0 ? 0 : errno;
  if (was_blocking && ::fcntl(socket, F_SETFL, flags) != 0) return errno;
  return error;
}

ConnectOutcome perform(int socket, const Address& address, files::Wait wait) {
  if (wait == files::Wait::kNever) return wait_needed();
  return failed(
      start(socket, reinterpret_cast<const sockaddr*>(&address.socket_address), address.size));
}

ConnectOutcome disconnect(int socket, files::Wait wait) {
  if (wait == files::Wait::kNever) return wait_needed();
  const sockaddr none{.sa_family = AF_UNSPEC, .sa_data = {}};
  return failed(start(socket, &none, sizeof none));
}

ConnectOutcome connect_path(const files::Files& files, const policy::PolicyStack& policy,
                            const ConnectRequest& request, Address& address, files::Wait wait) {
  files::Place place = request.place;
  place.path = address.endpoint.name;
  const files::Outcome pinned = files.pin_socket(policy, place, wait);
  if (pinned.would_block) return wait_needed();
  if (pinned.denial) return denied("unix:" + pinned.denial->path, pinned.denial->rule);
  // The way was visible; whether something stands at its end is told only where the policy lets
  // the client connect to it.
  if (!pinned.target.empty()) {
    address.endpoint.name = pinned.target;
    const policy::Verdict verdict = policy.decide_connect(address.endpoint);
    if (!verdict.allowed) return denied(to_text(address.endpoint), verdict.rule);
  }
  if (pinned.error != 0) return failed(pinned.error);
  // The pin itself, not its name again. The server sees the broker's credentials.
  set_path(address, "/proc/self/fd/" + std::to_string(pinned.fd.get()));
  return perform(request.socket, address, wait);
}

}  // namespace

ConnectOutcome connect(const files::Files& files, const policy::PolicyStack& policy,
                       const ConnectRequest& request, files::Wait wait) {
  int domain = 0;
  if (const int error = check_socket(request.socket, domain); error != 0) {
    if (error == EACCES) return denied("socket of another kind", nullptr);
    return failed(error);
  }
  if (is_disconnect(domain, request.address)) return disconnect(request.socket, wait);

  auto address = read_address(domain, request.address);
  if (!address) return failed(address.error());
  if (address->is_path()) return connect_path(files, policy, request, *address, wait);

  const policy::Verdict verdict = policy.decide_connect(address->endpoint);
  if (!verdict.allowed) return denied(to_text(address->endpoint), verdict.rule);
  return perform(request.socket, *address, wait);
}

}  // namespace torno::network
