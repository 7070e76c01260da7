// NetworkFixture: sockets of loopback and of a folder of the test's own, and connects of a client
// that is this very process. Every test ends with as many descriptors as it began with.
#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/network/network.h"
#include "broker/policy/policy.h"
#include "tests/support/temporary_directory.h"

namespace torno::network {

// The bytes of a sockaddr.
template <typename T>
std::string bytes_of(const T& address) {
  return {reinterpret_cast<const char*>(&address), sizeof address};
}

std::string ipv4(const char* address, std::uint16_t port);
std::string ipv6(const char* address, std::uint16_t port);
std::string unix_path(const std::string& path);      // ends in NUL
std::string unix_abstract(const std::string& name);  // without the leading NUL

class NetworkFixture : public ::testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  // "$D" is the test's folder, "$P" the port of listen_tcp().
  void allow(std::string rules);
  void make_files(const std::vector<std::string>& protected_paths);

  std::string at(const std::string& name) const { return folder_.path() + "/" + name; }

  static Fd make_socket(int domain, int type = SOCK_STREAM);
  // On loopback, at a port that the kernel chooses.
  std::uint16_t listen_tcp(int backlog = 8);
  void listen_unix(const std::string& address, int backlog = 8);

  // As a thread that may be held does it; one that may not says the same or would block.
  ConnectOutcome connect(int socket, std::string_view address, std::string_view cwd = {});

  // The error the socket has when the connection has ended its start.
  static int result_of(int socket);

  test::TemporaryDirectory folder_;
  policy::PolicyStack policy_;
  std::optional<files::Files> files_;
  std::vector<Fd> listeners_;
  std::uint16_t port_ = 0;

 private:
  int descriptors_ = 0;
};

::testing::AssertionResult is_denied(const ConnectOutcome& outcome, const std::string& path);

}  // namespace torno::network
