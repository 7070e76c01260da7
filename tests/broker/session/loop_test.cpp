// The loop by itself: what is posted, sockets that come and go, handlers that throw.
#include "broker/session/loop.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

namespace torno::session {
namespace {

struct Pair {
  Pair() {
    int ends[2] = {-1, -1};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
    ours = Fd(ends[0]);
    theirs = Fd(ends[1]);
  }
  void write() const { EXPECT_EQ(::send(theirs.get(), "m", 1, 0), 1); }
  void read() const {
    char byte = 0;
    EXPECT_EQ(::recv(ours.get(), &byte, 1, 0), 1);
  }
  Fd ours;
  Fd theirs;
};

TEST(Loop, RunsWhatIsPostedInItsOrder) {
  Loop loop;
  std::vector<int> ran;
  for (int i = 0; i < 3; ++i) loop.post([&ran, i] { ran.push_back(i); });
  loop.post([&loop, &ran] {
    loop.post([&loop] { loop.stop(); });
    ran.push_back(3);
  });
  loop.run();
  EXPECT_EQ(ran, (std::vector{0, 1, 2, 3}));
}

TEST(Loop, WakesUpForAnotherThread) {
  Loop loop;
  std::thread::id ran_on;
  std::thread thread([&loop] { loop.run(); });
  const std::thread::id its_own = thread.get_id();
  loop.post([&] {
    ran_on = std::this_thread::get_id();
    loop.stop();
  });
  thread.join();
  EXPECT_EQ(ran_on, its_own);
}

// Tasks come first, however many sockets are always ready.
TEST(Loop, RunsTasksBesideSocketsThatAreAlwaysReady) {
  Loop loop;
  const std::vector<Pair> pairs(100);
  for (const Pair& pair : pairs) {
    pair.write();
    ASSERT_TRUE(loop.watch(pair.ours.get(), [](Loop::Ready) {}));
  }
  std::uint64_t turn_before = 0;
  std::uint64_t turn_after = 0;
  loop.post([&] {
    turn_before = loop.turn();
    loop.post([&] {
      turn_after = loop.turn();
      loop.stop();
    });
  });
  loop.run();
  EXPECT_EQ(turn_after, turn_before + 1);
}

TEST(Loop, LosesNoTaskOfManyThreads) {
  constexpr int kThreads = 4;
  constexpr int kTasks = 5000;
  Loop loop;
  int ran = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int task = 0; task < kTasks; ++task) {
        loop.post([&] {
          if (++ran == kThreads * kTasks) loop.stop();
        });
      }
    });
  }
  loop.run();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(ran, kThreads * kTasks);
}

TEST(Loop, GoesOnAfterATaskThatThrew) {
  Loop loop;
  std::vector<int> ran;
  loop.post([] { throw std::runtime_error("of the test"); });
  for (int i = 0; i < 3; ++i) loop.post([&ran, i] { ran.push_back(i); });
  loop.post([&loop] { loop.stop(); });
  EXPECT_THROW(loop.run(), std::runtime_error);
  EXPECT_TRUE(ran.empty());
  loop.run();
  EXPECT_EQ(ran, (std::vector{0, 1, 2}));
}

TEST(Loop, GoesOnAfterAHandlerThatThrew) {
  Loop loop;
  const Pair pair;
  int calls = 0;
  ASSERT_TRUE(loop.watch(pair.ours.get(), [&](Loop::Ready) {
    if (++calls == 1) throw std::runtime_error("of the test");
    loop.stop();
  }));
  pair.write();
  EXPECT_THROW(loop.run(), std::runtime_error);
  loop.run();
  EXPECT_EQ(calls, 2);
}

TEST(Loop, CallsUntilAllIsRead) {
  Loop loop;
  const Pair pair;
  int calls = 0;
  ASSERT_TRUE(loop.watch(pair.ours.get(), [&](Loop::Ready ready) {
    EXPECT_TRUE(ready.read);
    EXPECT_FALSE(ready.write);
    pair.read();
    if (++calls == 3) loop.stop();
  }));
  for (int i = 0; i < 3; ++i) pair.write();
  loop.run();
  EXPECT_EQ(calls, 3);
}

TEST(Loop, CallsForRoomWhileItIsWanted) {
  Loop loop;
  const Pair pair;
  int with_room = 0;
  Loop::Handle watch;
  const auto added = loop.watch(pair.ours.get(), [&](Loop::Ready ready) {
    if (ready.write) {
      ++with_room;
      loop.want_room(watch, false);
      pair.write();
      return;
    }
    EXPECT_TRUE(ready.read);
    loop.stop();
  });
  ASSERT_TRUE(added);
  watch = *added;
  loop.want_room(watch, true);
  loop.run();
  EXPECT_EQ(with_room, 1);
}

TEST(Loop, SaysThatTheOtherEndIsClosed) {
  Loop loop;
  Pair pair;
  bool read = false;
  ASSERT_TRUE(loop.watch(pair.ours.get(), [&](Loop::Ready ready) {
    read = ready.read;
    loop.stop();
  }));
  pair.theirs.reset();
  loop.run();
  EXPECT_TRUE(read);
}

// Both are ready in the same wait, and whichever is called first takes the other away.
TEST(Loop, AHandlerMayTakeAnotherAwayThatIsReady) {
  Loop loop;
  const Pair pairs[2];
  Loop::Handle watches[2];
  auto owned = std::make_shared<int>(0);
  int calls = 0;
  for (int i = 0; i < 2; ++i) {
    const auto added = loop.watch(pairs[i].ours.get(), [&, i, owned](Loop::Ready) {
      ++calls;
      loop.unwatch(watches[1 - i]);
      loop.post([&loop] { loop.stop(); });
      pairs[i].read();
    });
    ASSERT_TRUE(added);
    watches[i] = *added;
  }
  for (const Pair& pair : pairs) pair.write();
  loop.run();
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(owned.use_count(), 2) << "this test's and the one that is still watched";
}

TEST(Loop, AHandlerMayTakeItselfAway) {
  Loop loop;
  const Pair pair;
  Loop::Handle watch;
  int after = 0;
  const auto added = loop.watch(pair.ours.get(), [&, kept = std::make_shared<int>(7)](Loop::Ready) {
    loop.unwatch(watch);
    loop.post([&loop] { loop.stop(); });
    after = *kept;  // of the handler that was taken away
  });
  ASSERT_TRUE(added);
  watch = *added;
  pair.write();
  loop.run();
  EXPECT_EQ(after, 7);
}

TEST(Loop, RefusesWhatCannotBeWatched) {
  Loop loop;
  EXPECT_FALSE(loop.watch(-1, [](Loop::Ready) {}));
}

}  // namespace
}  // namespace torno::session
