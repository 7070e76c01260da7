// A kernel that watches no more descriptors. fs.epoll.max_user_watches counts all processes of a
// user, and a sandboxee can use them up by itself. Using them up here would hurt whoever else runs
// as this user, so a filter has the kernel answer as it then does, from one descriptor on: the
// broker's tables grow past it as a session does.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/in_a_child.h"
#include "tests/support/processes.h"
#include "tests/support/raw_peer.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/tornod_process.h"

namespace torno::session {
namespace {

using test::RawPeer;

constexpr unsigned kFirstUnwatched = 100;

// For this process and its children, the broker among them: descriptors from kFirstUnwatched on
// find no watch.
bool run_out_of_watches() {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_epoll_ctl, 0, 5),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[1])),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, EPOLL_CTL_ADD, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[2])),
      BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, kFirstUnwatched, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSPC),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter{std::size(program), program};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) == 0;
}

int opens(const RawPeer& channel, const std::string& path) {
  const auto answer = channel.ask_and_wait(test::open_message(1, path, O_RDONLY));
  return answer && answer->fds.size() == 1 ? answer->message.reply().result() : -1;
}

// One session asks for channels until the broker cannot watch one more, or has given many.
void outgrow(bool scarce) {
  const test::TemporaryDirectory files;
  const std::string file = files.write("file", "content");
  test::TornodProcess tornod({{"all", "file { path: \"" + file + "\" allow: READ }\n"}});
  const auto connect = [&] { return RawPeer::connect(tornod.socket_path()); };
  const RawPeer steady = connect();
  ASSERT_TRUE(steady.enter("all")) << tornod.log();
  const RawPeer channel = steady.new_channel();
  const RawPeer greedy = connect();
  ASSERT_TRUE(greedy.enter("all")) << tornod.log();

  std::vector<RawPeer> channels;
  int error = 0;
  while (error == 0 && channels.size() < kFirstUnwatched) {
    auto answer = greedy.ask(test::new_channel_message());
    ASSERT_TRUE(answer) << tornod.log();
    error = static_cast<int>(answer->message.channel_ready().error());
    if (error == 0) channels.emplace_back(std::move(answer->fds.at(0)));
  }
  EXPECT_EQ(error, scarce ? ENOMEM : 0);

  const RawPeer newcomer = connect();
  EXPECT_EQ(newcomer.enter("all"), !scarce);
  if (scarce) {
    EXPECT_TRUE(newcomer.wait_for_end());
  }
  EXPECT_EQ(opens(channel, file), 0);
  EXPECT_EQ(opens(channels.back(), file), 0);

  // What the greedy one gives back, others get.
  channels.clear();
  EXPECT_TRUE(test::eventually([&] { return connect().enter("all"); }));
  EXPECT_EQ(tornod.stop(), 0) << tornod.log();
}

void outgrow_in_a_child(bool scarce) {
  test::in_a_child([scarce] { return !scarce || run_out_of_watches(); },
                   [scarce] { outgrow(scarce); });
}

TEST(Watches, AreThere) {
  outgrow_in_a_child(false);
}

TEST(Watches, OnesThatRunOutCostNobodyElse) {
  outgrow_in_a_child(true);
}

}  // namespace
}  // namespace torno::session
