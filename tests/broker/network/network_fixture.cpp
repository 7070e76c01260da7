#include "tests/broker/network/network_fixture.h"

#include <arpa/inet.h>
#include <poll.h>

#include <cstddef>
#include <filesystem>
#include <iterator>

#include "broker/policy/loader.h"

namespace torno::network {

namespace {

int open_descriptors() {
  const std::filesystem::directory_iterator entries("/proc/self/fd");
  return static_cast<int>(std::distance(begin(entries), end(entries)));
}

void replace(std::string& text, std::string_view from, const std::string& to) {
  for (std::size_t i = 0; (i = text.find(from, i)) != text.npos; i += to.size()) {
    text.replace(i, from.size(), to);
  }
}

}  // namespace

std::string ipv4(const char* address, std::uint16_t port) {
  sockaddr_in made{};
  made.sin_family = AF_INET;
  made.sin_port = htons(port);
  ::inet_pton(AF_INET, address, &made.sin_addr);
  return bytes_of(made);
}

std::string ipv6(const char* address, std::uint16_t port) {
  sockaddr_in6 made{};
  made.sin6_family = AF_INET6;
  made.sin6_port = htons(port);
  ::inet_pton(AF_INET6, address, &made.sin6_addr);
  return bytes_of(made);
}

std::string unix_path(const std::string& path) {
  const sa_family_t family = AF_UNIX;
  return bytes_of(family) + path + std::string(1, '\0');
}

std::string unix_abstract(const std::string& name) {
  const sa_family_t family = AF_UNIX;
  return bytes_of(family) + std::string(1, '\0') + name;
}

void NetworkFixture::SetUp() {
  descriptors_ = open_descriptors();
  make_files({});
}

void NetworkFixture::TearDown() {
  files_.reset();
  listeners_.clear();
  EXPECT_EQ(open_descriptors(), descriptors_) << "a descriptor leaked";
}

void NetworkFixture::make_files(const std::vector<std::string>& protected_paths) {
  auto files = files::Files::create(protected_paths);
  ASSERT_TRUE(files) << files.error().message;
  files_.emplace(std::move(*files));
}

void NetworkFixture::allow(std::string rules) {
  replace(rules, "$D", folder_.path());
  replace(rules, "$P", std::to_string(port_));
  policy::Loaded loaded = policy::load_text(rules, "test", {});
  for (const policy::Diagnostic& diagnostic : loaded.diagnostics) {
    if (!loaded.policy) ADD_FAILURE() << diagnostic.text();
  }
  policy_ = policy::PolicyStack();
  if (loaded.policy) policy_.push(loaded.policy);
}

Fd NetworkFixture::make_socket(int domain, int type) {
  return Fd(::socket(domain, type | SOCK_CLOEXEC, 0));
}

std::uint16_t NetworkFixture::listen_tcp(int backlog) {
  Fd socket = make_socket(AF_INET);
  const std::string address = ipv4("127.0.0.1", 0);
  EXPECT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(address.data()),
                   static_cast<socklen_t>(address.size())),
            0);
  EXPECT_EQ(::listen(socket.get(), backlog), 0);
  sockaddr_in bound{};
  socklen_t size = sizeof bound;
  EXPECT_EQ(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&bound), &size), 0);
  listeners_.push_back(std::move(socket));
  port_ = ntohs(bound.sin_port);
  return port_;
}

void NetworkFixture::listen_unix(const std::string& address, int backlog) {
  Fd socket = make_socket(AF_UNIX);
  ASSERT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(address.data()),
                   static_cast<socklen_t>(address.size())),
            0);
  ASSERT_EQ(::listen(socket.get(), backlog), 0);
  listeners_.push_back(std::move(socket));
}

ConnectOutcome NetworkFixture::connect(int socket, std::string_view address, std::string_view cwd) {
  files::Place place;
  place.client = ::getpid();
  if (!cwd.empty()) {
    place.base = files::Place::Base::kCwd;
    place.cwd = cwd;
  }
  const ConnectRequest request{.socket = socket, .address = address, .place = place};
  const ConnectOutcome at_once = network::connect(*files_, policy_, request, files::Wait::kNever);
  ConnectOutcome outcome = network::connect(*files_, policy_, request, files::Wait::kMayBlock);
  EXPECT_FALSE(outcome.would_block);
  if (!at_once.would_block) {
    EXPECT_EQ(at_once.error, outcome.error);
    EXPECT_NE(at_once.error, 0) << "nothing is connected on an io thread";
  }
  return outcome;
}

int NetworkFixture::result_of(int socket) {
  pollfd wait{.fd = socket, .events = POLLOUT, .revents = 0};
  constexpr int kGenerous = 20'000;
  if (::poll(&wait, 1, kGenerous) != 1) return ETIMEDOUT;
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size);
  return error;
}

::testing::AssertionResult is_denied(const ConnectOutcome& outcome, const std::string& path) {
  if (outcome.error != EACCES) {
    return ::testing::AssertionFailure() << "the error is " << errno_name(outcome.error);
  }
  if (!outcome.denial) return ::testing::AssertionFailure() << "there is no denial";
  if (outcome.denial->path != path) {
    return ::testing::AssertionFailure() << "the denial names " << outcome.denial->path;
  }
  return ::testing::AssertionSuccess();
}

}  // namespace torno::network
