// A kernel that lets the broker's user have no more descriptors in flight: sent, and not received
// yet. It counts them over all processes of a user, against the sender's own RLIMIT_NOFILE. So the
// broker alone gets a low limit here, and this test sends as many as are too many for it.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <optional>
#include <vector>

#include "tests/support/in_a_child.h"
#include "tests/support/processes.h"
#include "tests/support/raw_peer.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/tornod_process.h"

namespace torno::session {
namespace {

using test::RawPeer;

constexpr int kMostInOneMessage = 253;  // SCM_MAX_FD
constexpr rlim_t kFewFiles = 128;

// Of linux/capability.h, which is not made for C++: whoever has one of these has no such limit.
constexpr unsigned long kCapSysAdmin = 21;
constexpr unsigned long kCapSysResource = 24;

class Broker {
 public:
  Broker()
      : file_(files_.write("file", "content")),
        tornod_({{"all", "file { path: \"" + file_ + "\" allow: READ }\n"}}),
        peer_(RawPeer::connect(tornod_.socket_path())) {
    EXPECT_TRUE(peer_.enter("all")) << tornod_.log();
    EXPECT_EQ(::prlimit(tornod_.pid(), RLIMIT_NOFILE, nullptr, &usual_), 0);
  }
  ~Broker() { EXPECT_EQ(tornod_.stop(), 0) << tornod_.log(); }

  const RawPeer& peer() const { return peer_; }

  // The result of an open, whose descriptor is there when it is 0.
  int opens(const RawPeer& channel) const {
    const auto answer = channel.ask_and_wait(test::open_message(1, file_, O_RDONLY));
    if (!answer) return -EIO;
    const int result = answer->message.reply().result();
    EXPECT_EQ(answer->fds.size(), result == 0 ? 1U : 0U);
    return result;
  }

  void fill() {
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    unread_.emplace(Fd(ends[0]));
    const Fd sender(ends[1]);
    const std::vector<int> many(kMostInOneMessage, STDIN_FILENO);
    ASSERT_EQ(RawPeer(Fd(::dup(sender.get()))).send_bytes("x", many), 0);
    const rlimit few{kFewFiles, usual_.rlim_max};
    ASSERT_EQ(::prlimit(tornod_.pid(), RLIMIT_NOFILE, &few, nullptr), 0);
  }

  void empty() {
    unread_.reset();
    ASSERT_EQ(::prlimit(tornod_.pid(), RLIMIT_NOFILE, &usual_, nullptr), 0);
  }

 private:
  const test::TemporaryDirectory files_;
  const std::string file_;
  test::TornodProcess tornod_;
  const RawPeer peer_;
  rlimit usual_{};
  std::optional<RawPeer> unread_;
};

// The broker must start without the right to go past the limit, and so must its parent.
void without_rights(const std::function<void()>& test) {
  const auto drop_rights = [] {
    for (const unsigned long right : {kCapSysAdmin, kCapSysResource}) {
      if (::geteuid() == 0 && ::prctl(PR_CAPBSET_DROP, right, 0, 0, 0) != 0) return false;
    }
    return true;
  };
  torno::test::in_a_child(drop_rights, test);
}

TEST(InFlight, ADescriptorThatCannotBeSentIsAnError) {
  without_rights([] {
    Broker broker;
    const RawPeer channel = broker.peer().new_channel();
    EXPECT_EQ(broker.opens(channel), 0) << "positive control";
    broker.fill();
    EXPECT_EQ(broker.opens(channel), -ENFILE);
    const auto refused = broker.peer().ask(test::new_channel_message());
    ASSERT_TRUE(refused) << "the session ended";
    EXPECT_EQ(refused->message.channel_ready().error(), ENFILE);
    EXPECT_EQ(refused->message.channel_ready().id(), 0U);
    EXPECT_TRUE(refused->fds.empty());
    broker.empty();
    EXPECT_EQ(broker.opens(channel), 0);
    EXPECT_EQ(broker.opens(broker.peer().new_channel()), 0);
  });
}

// Answers that waited for room and find the kernel's count full when there is some.
TEST(InFlight, ADescriptorThatCannotBeSentLaterIsAnErrorToo) {
  without_rights([] {
    constexpr int kMoreThanFindRoom = 600;
    Broker broker;
    const RawPeer channel = broker.peer().new_channel();
    for (int i = 0; i < kMoreThanFindRoom; ++i) {
      ASSERT_EQ(broker.peer().send(test::new_channel_message()), 0);
    }
    ASSERT_TRUE(test::eventually([&] {
      int unread = -1;
      return ::ioctl(broker.peer().fd(), SIOCOUTQ, &unread) == 0 && unread == 0;
    }));
    broker.fill();
    int ready = 0;
    int refused = 0;
    for (int i = 0; i < kMoreThanFindRoom; ++i) {
      const auto answer = broker.peer().receive();
      ASSERT_TRUE(answer) << "the session ended after " << i;
      if (answer->fds.size() == 1) {
        ++ready;
      } else if (answer->message.channel_ready().error() == ENFILE) {
        ++refused;
      }
    }
    EXPECT_GT(ready, 0);
    EXPECT_GT(refused, 0);
    broker.empty();
    EXPECT_EQ(broker.opens(channel), 0);
  });
}

}  // namespace
}  // namespace torno::session
