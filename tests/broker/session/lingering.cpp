#include "tests/broker/session/lingering.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>

#include <array>

#include "broker/session/interrupt.h"

namespace torno::session {

Lingering::Lingering() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  ::listen(listener_.get(), 16);
}

Fd Lingering::make() {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), size) != 0) return {};
  silent_.emplace_back(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  static constexpr std::array<char, 65536> kData{};
  while (::send(socket.get(), kData.data(), kData.size(), MSG_DONTWAIT) > 0) continue;
  const linger hour{.l_onoff = 1, .l_linger = 3600};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &hour, sizeof hour);
  return socket;
}

Uninterruptible::Uninterruptible() {
  ::signal(SIGURG, SIG_IGN);  // what interrupt() sends
}

Uninterruptible::~Uninterruptible() {
  prepare_interrupts();
}

}  // namespace torno::session
