// connect through the broker, and messages that go out without one.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <torno/torno.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "tests/sandboxee/scenario.h"

using namespace torno::test;

namespace {

// A listening socket, from before the seal.
int listen_tcp(sockaddr_in& address, int backlog = 8) {
  const int socket_ = socket(AF_INET, SOCK_STREAM, 0);
  address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  CHECK(bind(socket_, reinterpret_cast<sockaddr*>(&address), size) == 0);
  CHECK(listen(socket_, backlog) == 0);
  CHECK(getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  return socket_;
}

sockaddr_un unix_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, path.c_str());
  return address;
}

int listen_unix(const std::string& path, int backlog = 8) {
  const int socket_ = socket(AF_UNIX, SOCK_STREAM, 0);
  const sockaddr_un address = unix_address(path);
  CHECK(bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  CHECK(listen(socket_, backlog) == 0);
  return socket_;
}

template <typename Address>
int connect_to(int socket_, const Address& address) {
  return connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

}  // namespace

// Policy "test" allows 127.0.0.1 alone.
SCENARIO(an_ipv4_address_may_be_written_in_ipv6) {
  const int probe = socket(AF_INET6, SOCK_STREAM, 0);
  if (probe < 0) return;  // there is no IPv6 here
  close(probe);
  sockaddr_in address;
  listen_tcp(address);
  sockaddr_in6 mapped{};
  mapped.sin6_family = AF_INET6;
  mapped.sin6_port = address.sin_port;
  CHECK(inet_pton(AF_INET6, "::ffff:127.0.0.1", &mapped.sin6_addr) == 1);
  enter("test");

  const int client = socket(AF_INET6, SOCK_STREAM, 0);
  CHECK(client >= 0);
  CHECK(connect_to(client, mapped) == 0);
  CHECK(send(client, "x", 1, 0) == 1);
  const int other = socket(AF_INET6, SOCK_STREAM, 0);
  for (const char* refused : {"::ffff:127.0.0.2", "::1", "::", "::127.0.0.1"}) {
    CHECK(inet_pton(AF_INET6, refused, &mapped.sin6_addr) == 1);
    CHECK_ERRNO(connect_to(other, mapped), EACCES);
  }
  CHECK_ERRNO(bind(other, reinterpret_cast<const sockaddr*>(&mapped), sizeof mapped), EACCES);
  // The same socket as one of IPv4, for which no address of this family is left to judge.
  const int ipv4 = AF_INET;
  CHECK_ERRNO(setsockopt(client, IPPROTO_IPV6, IPV6_ADDRFORM, &ipv4, sizeof ipv4), EPERM);
}

SCENARIO(tcp_connections_are_made) {
  sockaddr_in address;
  listen_tcp(address);
  sockaddr_in closed;
  close(listen_tcp(closed));
  enter("test");

  int client = socket(AF_INET, SOCK_STREAM, 0);
  CHECK(client >= 0);
  CHECK(connect_to(client, address) == 0);
  CHECK((fcntl(client, F_GETFL) & O_NONBLOCK) == 0);
  CHECK(send(client, "x", 1, 0) == 1);
  CHECK_ERRNO(connect_to(client, address), EISCONN);
  close(client);

  client = socket(AF_INET, SOCK_STREAM, 0);
  CHECK_ERRNO(connect_to(client, closed), ECONNREFUSED);
  CHECK(connect_to(client, address) == 0);
  close(client);

  client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  CHECK(connect_to(client, address) == 0 || errno == EINPROGRESS);
  pollfd writable{client, POLLOUT, 0};
  CHECK(poll(&writable, 1, -1) == 1);
  int error = -1;
  socklen_t size = sizeof error;
  CHECK(getsockopt(client, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0);
  CHECK((fcntl(client, F_GETFL) & O_NONBLOCK) != 0);
  close(client);

  sockaddr_in other = address;
  other.sin_addr.s_addr = htonl(0x0a000001);
  client = socket(AF_INET, SOCK_STREAM, 0);
  CHECK_ERRNO(connect_to(client, other), EACCES);
  CHECK_ERRNO(connect(client, nullptr, sizeof address), EFAULT);
  CHECK_ERRNO(connect(client, reinterpret_cast<sockaddr*>(&address), 129), EINVAL);
  CHECK_ERRNO(syscall(SYS_connect, client, &address, -1), EINVAL);
  CHECK_ERRNO(connect_to(1000, address), EBADF);
  CHECK_ERRNO(connect_to(-1, address), EBADF);
  CHECK_ERRNO(connect_to(4095, address), EBADF);
  int pipe_ends[2];
  CHECK(pipe(pipe_ends) == 0);
  CHECK_ERRNO(connect_to(pipe_ends[0], address), ENOTSOCK);
}

SCENARIO(unix_connections_are_made) {
  const int server = listen_unix(place.sockets() + "/server");
  CHECK(chdir(place.sockets().c_str()) == 0);
  enter("test");
  int client = socket(AF_UNIX, SOCK_STREAM, 0);
  CHECK(client >= 0);
  CHECK(connect_to(client, unix_address(place.sockets() + "/server")) == 0);
  CHECK(write(client, "ping", 4) == 4);
  close(client);
  client = socket(AF_UNIX, SOCK_STREAM, 0);
  CHECK(connect_to(client, unix_address("server")) == 0);
  close(client);
  client = socket(AF_UNIX, SOCK_STREAM, 0);
  CHECK_ERRNO(connect_to(client, unix_address(place.directory + "/denied/socket")), EACCES);
  CHECK_ERRNO(connect_to(client, unix_address(place.sockets() + "/missing")), ENOENT);
  CHECK(server >= 0);
}

SCENARIO(a_full_unix_server_is_waited_for) {
  const std::string path = place.sockets() + "/full";
  const int server = listen_unix(path, 0);
  const pid_t accepting = fork();
  if (accepting == 0) {
    const timespec while_the_client_waits{0, 50'000'000};
    nanosleep(&while_the_client_waits, nullptr);
    for (int i = 0; i < 2; ++i) accept(server, nullptr, nullptr);
    _exit(0);
  }
  enter("test");
  for (int i = 0; i < 2; ++i) {
    const int client = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(connect_to(client, unix_address(path)) == 0);
  }
  const int impatient = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
  while (connect_to(impatient, unix_address(path)) == 0) break;
}

SCENARIO(a_connect_that_waits_is_interrupted) {
  // A full backlog: the handshake does not end.
  sockaddr_in address;
  listen_tcp(address, 0);
  for (int i = 0; i < 4; ++i) {
    connect_to(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), address);
  }
  enter("test");
  struct sigaction action{};
  action.sa_handler = [](int) {};
  sigaction(SIGALRM, &action, nullptr);
  const itimerval soon{{0, 0}, {0, 50'000}};
  setitimer(ITIMER_REAL, &soon, nullptr);
  const int client = socket(AF_INET, SOCK_STREAM, 0);
  CHECK_ERRNO(connect_to(client, address), EINTR);

  const int impatient = socket(AF_INET, SOCK_STREAM, 0);
  const timeval short_while{0, 50'000};
  CHECK(setsockopt(impatient, SOL_SOCKET, SO_SNDTIMEO, &short_while, sizeof short_while) == 0);
  CHECK_ERRNO(connect_to(impatient, address), EINPROGRESS);
}

SEALED_SCENARIO(messages_without_a_name_go_out) {
  int pair[2];
  CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0);
  char first[] = "one ";
  char second[] = "two";
  iovec pieces[] = {{first, 4}, {nullptr, 0}, {second, 3}};
  msghdr message{};
  message.msg_iov = pieces;
  char got[32];
  for (const std::size_t count : {std::size_t{3}, std::size_t{1}, std::size_t{0}}) {
    message.msg_iovlen = count;
    const ssize_t expected = count == 3 ? 7 : count == 1 ? 4 : 0;
    CHECK(sendmsg(pair[0], &message, MSG_NOSIGNAL) == expected);
    CHECK(recv(pair[1], got, sizeof got, MSG_DONTWAIT) == expected);
    CHECK(std::memcmp(got, "one two", static_cast<std::size_t>(expected)) == 0);
  }
  mmsghdr messages[2] = {};
  messages[0].msg_hdr.msg_iov = pieces;
  messages[0].msg_hdr.msg_iovlen = 3;
  messages[1].msg_hdr.msg_iov = pieces + 2;
  messages[1].msg_hdr.msg_iovlen = 1;
  CHECK(sendmmsg(pair[0], messages, 2, 0) == 2);
  CHECK(messages[0].msg_len == 7 && messages[1].msg_len == 3);
  CHECK(recv(pair[1], got, sizeof got, 0) == 7);
  CHECK(recv(pair[1], got, sizeof got, 0) == 3);
  int pipe_ends[2];
  CHECK(pipe(pipe_ends) == 0);
  message.msg_iovlen = 3;
  CHECK_ERRNO(sendmsg(pipe_ends[1], &message, 0), ENOTSOCK);
  message.msg_iovlen = 2000;
  CHECK_ERRNO(sendmsg(pair[0], &message, 0), EMSGSIZE);
}

SEALED_SCENARIO(messages_with_a_name_or_descriptors_are_refused) {
  static int refused = 0;
  torno_on_trap([](const torno_trap*, void*) { ++refused; }, nullptr);
  int pair[2];
  CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0);
  char text[] = "x";
  iovec piece{text, 1};
  sockaddr_un name = unix_address(place.sockets() + "/server");
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_name = &name;
  message.msg_namelen = sizeof name;
  CHECK_ERRNO(sendmsg(pair[0], &message, 0), EACCES);
  message.msg_name = nullptr;
  message.msg_namelen = 0;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  CHECK_ERRNO(sendmsg(pair[0], &message, 0), EPERM);
  CHECK_ERRNO(sendto(pair[0], text, 1, 0, reinterpret_cast<sockaddr*>(&name), sizeof name), EACCES);
  CHECK(refused == 3);
}
