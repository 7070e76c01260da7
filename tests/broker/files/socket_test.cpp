// pin_socket: the socket at the end of a path, for connect.
#include <sys/socket.h>
#include <sys/un.h>

#include "tests/broker/files/files_fixture.h"

namespace torno::files {
namespace {

class PinSocket : public FilesFixture {
 protected:
  void SetUp() override {
    FilesFixture::SetUp();
    make_directory("run");
    socket_ = Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    at("run/socket").copy(address.sun_path, sizeof address.sun_path - 1);
    ASSERT_EQ(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }

  void TearDown() override {
    socket_.reset();
    FilesFixture::TearDown();
  }

  Outcome pin(const std::string& path) {
    return files_->pin_socket(policy_, place(path), Wait::kMayBlock);
  }

  Fd socket_;
};

TEST_F(PinSocket, FindsTheSocketWithoutAVerdict) {
  const Outcome outcome = pin(at("run/socket"));
  ASSERT_EQ(outcome.error, 0);
  EXPECT_EQ(outcome.target, at("run/socket"));
  EXPECT_NE(::fcntl(outcome.fd.get(), F_GETFL) & O_PATH, 0);
}

TEST_F(PinSocket, SaysWhereItLookedForWhatIsMissing) {
  const Outcome outcome = pin(at("run/missing"));
  EXPECT_EQ(outcome.error, ENOENT);
  EXPECT_EQ(outcome.target, at("run/missing"));
}

TEST_F(PinSocket, WayThroughALinkMustBeVisible) {
  link("run", "way");
  EXPECT_TRUE(is_denied(pin(at("way/socket")), at("way/socket")));
  EXPECT_TRUE(is_denied(pin(at("hidden/../run/socket"))));
  allow(R"(file { path: "$D/way/**" allow: STAT } file { path: "$D/run/**" allow: STAT })");
  const Outcome outcome = pin(at("way/socket"));
  EXPECT_EQ(outcome.error, 0);
  EXPECT_EQ(outcome.target, at("run/socket"));
}

TEST_F(PinSocket, BrokersOwnIsRefused) {
  protect({at("run/socket")});
  EXPECT_TRUE(is_denied(pin(at("run/socket"))));
  ASSERT_EQ(::link(at("run/socket").c_str(), at("run/other").c_str()), 0);
  EXPECT_TRUE(is_denied(pin(at("run/other"))));
}

}  // namespace
}  // namespace torno::files
