// connect to unix stream sockets, by path and by abstract name.
#include <unistd.h>

#include <cstddef>
#include <filesystem>

#include "tests/broker/network/network_fixture.h"

namespace torno::network {
namespace {

class ConnectUnix : public NetworkFixture {
 protected:
  // A name that no other test has.
  std::string abstract_name() const { return folder_.path() + std::string("\0x", 2); }

  ConnectOutcome ask(const std::string& address, std::string_view cwd = {}) {
    const Fd socket = make_socket(AF_UNIX);
    return connect(socket.get(), address, cwd);
  }
};

TEST_F(ConnectUnix, ReachesWhatThePolicyAllows) {
  listen_unix(unix_path(at("socket")));
  allow(R"(connect { unix: "$D/socket" })");
  EXPECT_EQ(ask(unix_path(at("socket"))).error, 0);
  EXPECT_EQ(ask(unix_path("socket"), folder_.path()).error, 0);
  EXPECT_EQ(ask(unix_path(at("socket")).substr(0, 2 + at("socket").size())).error, 0)
      << "a path without a NUL";
}

TEST_F(ConnectUnix, RefusesEverythingElseWhetherItExistsOrNot) {
  listen_unix(unix_path(at("other")));
  allow(R"(connect { unix: "$D/socket" })");
  EXPECT_TRUE(is_denied(ask(unix_path(at("other"))), "unix:" + at("other")));
  EXPECT_TRUE(is_denied(ask(unix_path(at("missing"))), "unix:" + at("missing")));
  EXPECT_TRUE(is_denied(ask(unix_path(at("missing/x"))), "unix:" + at("missing/x")));
  EXPECT_TRUE(is_denied(ask(unix_path(at("other/x"))), "unix:" + at("other/x")));
}

TEST_F(ConnectUnix, SaysWhatIsMissingWhereItIsAllowed) {
  allow(R"(connect { unix: "$D/socket" })");
  EXPECT_EQ(ask(unix_path(at("socket"))).error, ENOENT);
  folder_.write("socket", "no socket");
  EXPECT_EQ(ask(unix_path(at("socket"))).error, ECONNREFUSED);
}

TEST_F(ConnectUnix, LinkLeadsOnlyWhereAllowed) {
  listen_unix(unix_path(at("real")));
  ASSERT_EQ(::symlink("real", at("link").c_str()), 0);
  {
    const Fd control = make_socket(AF_UNIX);
    const std::string address = unix_path(at("link"));
    ASSERT_EQ(::connect(control.get(), reinterpret_cast<const sockaddr*>(address.data()),
                        static_cast<socklen_t>(address.size())),
              0);
  }
  allow(R"(file { path: "$D/**" allow: STAT } connect { unix: "$D/other" })");
  EXPECT_TRUE(is_denied(ask(unix_path(at("link"))), "unix:" + at("real")));
  allow(R"(file { path: "$D/**" allow: STAT } connect { unix: "$D/real" })");
  EXPECT_EQ(ask(unix_path(at("link"))).error, 0);
}

TEST_F(ConnectUnix, FullBacklogIsEagainAndNobodyWaits) {
  listen_unix(unix_path(at("socket")), 0);
  allow(R"(connect { unix: "$D/socket" })");
  std::vector<Fd> sockets;
  int error = 0;
  for (int i = 0; i < 8 && error == 0; ++i) {
    sockets.push_back(make_socket(AF_UNIX));
    error = connect(sockets.back().get(), unix_path(at("socket"))).error;
  }
  EXPECT_EQ(error, EAGAIN);
}

TEST_F(ConnectUnix, AbstractNameIsNoPath) {
  listen_unix(unix_abstract(abstract_name()));
  allow(R"(connect { unix: "/**" } file { path: "/**" allow: READ })");
  EXPECT_TRUE(is_denied(ask(unix_abstract(abstract_name())), "unix:@" + abstract_name()));
  allow(R"(connect { abstract: "$D*" })");
  EXPECT_EQ(ask(unix_abstract(abstract_name())).error, 0);
  EXPECT_EQ(ask(unix_abstract(abstract_name() + "y")).error, ECONNREFUSED);
  EXPECT_TRUE(is_denied(ask(unix_path(folder_.path())), "unix:" + folder_.path()));
}

TEST_F(ConnectUnix, BrokersOwnSocketIsRefused) {
  listen_unix(unix_path(at("broker.sock")));
  std::filesystem::create_hard_link(at("broker.sock"), at("alias"));
  make_files({at("broker.sock")});
  allow(R"(connect { unix: "$D/**" })");
  EXPECT_TRUE(is_denied(ask(unix_path(at("broker.sock"))), "unix:" + at("broker.sock")));
  EXPECT_TRUE(is_denied(ask(unix_path(at("alias"))), "unix:" + at("alias")));
}

TEST_F(ConnectUnix, SocketOfTheClientByItsDescriptorIsRefused) {
  listen_unix(unix_path(at("socket")));
  allow(R"(connect { unix: "/**" } file { path: "/**" allow: READ })");
  const std::string own = "/proc/self/fd/" + std::to_string(listeners_.back().get());
  EXPECT_TRUE(is_denied(ask(unix_path(own)), "unix:" + own));
}

}  // namespace
}  // namespace torno::network
