// What a sandboxee must not reach of its broker, whatever its policy says.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "tests/support/raw_peer.h"
#include "tests/support/tornod_process.h"

namespace torno::server {
namespace {

using test::RawPeer;

// A policy as wide as can be over the folder that the test's broker, too, lives in.
std::string wide_policy() {
  const std::string root = std::filesystem::canonical(std::filesystem::temp_directory_path());
  return "file { path: \"" + root + "/**\" allow: [READ, WRITE, CREATE] type: SOCKET }\n" +
         "connect { unix: \"" + root + "/**\" }\n";
}

class ProtectionTest : public testing::Test {
 protected:
  RawPeer entered_channel() {
    EXPECT_TRUE(peer_.enter("wide")) << tornod_.log();
    return peer_.new_channel();
  }

  int open_result(const std::string& path, unsigned long flags) {
    wire::ClientMessage message = test::open_message(1, path, flags);
    message.mutable_request()->mutable_open()->set_mode((flags & O_CREAT) != 0 ? 0600 : 0);
    const auto answer = channel_.ask_and_wait(message);
    return answer ? answer->message.reply().result() : -1;
  }

  int connect_result(const std::string& path) {
    const Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    wire::ClientMessage message = test::request_message(
        2, std::string(reinterpret_cast<const char*>(&address), sizeof address));
    message.mutable_request()->mutable_connect();
    message.mutable_request()->set_channel(channel_.id());
    EXPECT_EQ(peer_.send(message, {socket.get()}), 0);
    auto answer = channel_.receive();
    while (answer && answer->message.reply().pending()) answer = channel_.receive();
    return answer ? answer->message.reply().result() : -1;
  }

  test::TornodProcess tornod_{test::Policies{{"wide", wide_policy()}}};
  const RawPeer peer_ = RawPeer::connect(tornod_.socket_path());
  const RawPeer channel_ = entered_channel();
};

// It would open a second session there, under a wider policy.
TEST_F(ProtectionTest, TheBrokersSocket) {
  EXPECT_EQ(connect_result(tornod_.socket_path()), -EACCES);
  EXPECT_TRUE(RawPeer::connect(tornod_.socket_path()).enter("wide")) << "positive control";
  // Another socket beside it may be reached.
  const test::TemporaryDirectory other;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = other.path() + "/socket";
  std::memcpy(address.sun_path, path.data(), path.size());
  const Fd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(listener.get(), 1), 0);
  EXPECT_EQ(connect_result(path), 0);
}

// It would write its own policy there.
TEST_F(ProtectionTest, ThePolicyFolder) {
  const std::string folder = tornod_.policy_directory();
  EXPECT_EQ(open_result(folder + "/wide.policy", O_WRONLY), -EACCES);
  EXPECT_EQ(open_result(folder + "/more.policy", O_WRONLY | O_CREAT), -EACCES);
  EXPECT_NE(::access((folder + "/more.policy").c_str(), F_OK), 0);
  const test::TemporaryDirectory other;
  EXPECT_EQ(open_result(other.path() + "/new", O_WRONLY | O_CREAT), 0) << "positive control";
}

TEST_F(ProtectionTest, NoRuleMayNameThem) {
  for (const std::string& place : {tornod_.policy_directory() + "/**", tornod_.socket_path()}) {
    std::filesystem::path file(tornod_.policy_directory() + "/naming.policy");
    std::FILE* out = std::fopen(file.c_str(), "w");
    ASSERT_NE(out, nullptr);
    std::fprintf(out, "file { path: \"%s\" allow: READ }\n", place.c_str());
    std::fclose(out);
    const auto answer = RawPeer::connect(tornod_.socket_path()).hello("naming");
    ASSERT_TRUE(answer && answer->message.has_refused()) << place;
  }
}

// A process of the same user that got around its filter still cannot read the broker's memory.
TEST_F(ProtectionTest, TheBrokersMemory) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may read any memory";
  const std::string memory = "/proc/" + std::to_string(tornod_.pid()) + "/mem";
  EXPECT_LT(::open(memory.c_str(), O_RDONLY | O_CLOEXEC), 0);
  EXPECT_EQ(errno, EACCES);
  // Positive control: a dumpable process of this user.
  int pipe[2];
  ASSERT_EQ(::pipe2(pipe, O_CLOEXEC), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    char byte = 0;
    ::close(pipe[1]);
    (void)!::read(pipe[0], &byte, 1);
    ::_exit(0);
  }
  const Fd own(::open(("/proc/" + std::to_string(child) + "/mem").c_str(), O_RDONLY | O_CLOEXEC));
  EXPECT_TRUE(own);
  ::close(pipe[0]);
  ::close(pipe[1]);
  ::waitpid(child, nullptr, 0);
}

// Modes arrive masked by the client, so the broker's own mask must be none.
TEST_F(ProtectionTest, NoUmaskOfTheBrokers) {
  const test::TemporaryDirectory other;
  wire::ClientMessage message = test::open_message(1, other.path() + "/new", O_WRONLY | O_CREAT);
  message.mutable_request()->mutable_open()->set_mode(0666);
  ASSERT_TRUE(channel_.ask_and_wait(message));
  struct stat status{};
  ASSERT_EQ(::stat((other.path() + "/new").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0666U);
}

}  // namespace
}  // namespace torno::server
