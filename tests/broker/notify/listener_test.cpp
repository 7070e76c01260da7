// Listener: what its answers are in the caller's eyes, and what they are once the caller is gone.
#include "broker/notify/listener.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <thread>

#include "broker/session/interrupt.h"
#include "tests/broker/notify/supervised.h"

namespace torno::notify {
namespace {

constexpr int kFine = 0;

int exit_status(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

// The next call; aborts the test when the child ends instead.
Notification next(const Listener& listener) {
  pollfd waiting{listener.fd(), POLLIN, 0};
  while (::poll(&waiting, 1, -1) < 0 && errno == EINTR) {
  }
  const auto call = (waiting.revents & POLLIN) != 0 ? listener.receive() : std::nullopt;
  if (!call) ADD_FAILURE() << "no call came";
  return call.value_or(Notification{});
}

long openat(const char* path) {
  return ::syscall(SYS_openat, AT_FDCWD, path, O_RDONLY);
}

TEST(NotifyListener, Answers) {
  test::Filtered child("", [] {
    if (openat("/a") >= 0 || errno != EXDEV) return 1;
    if (openat("/b") != 4711) return 2;
    const int given = static_cast<int>(openat("/c"));
    if (given < 0 || ::fcntl(given, F_GETFD) != 0) return 3;
    const int closing = static_cast<int>(openat("/d"));
    if (closing == given || ::fcntl(closing, F_GETFD) != FD_CLOEXEC) return 4;
    if (openat("/dev/null") < 0) return 5;  // made by the kernel
    return kFine;
  });
  const Listener listener(child.take_listener());
  child.go();
  const Fd file(::memfd_create("x", MFD_CLOEXEC));
  Notification call = next(listener);
  EXPECT_EQ(call.thread, child.pid());
  EXPECT_EQ(call.number, SYS_openat);
  EXPECT_TRUE(listener.is_waiting(call.id));
  EXPECT_TRUE(listener.answer(call.id, -EXDEV));
  EXPECT_FALSE(listener.is_waiting(call.id));
  EXPECT_FALSE(listener.answer(call.id, 0)) << "one call has one answer";
  call = next(listener);
  EXPECT_TRUE(listener.answer(call.id, 4711));
  call = next(listener);
  EXPECT_EQ(listener.give(call.id, file.get(), false), 0);
  EXPECT_EQ(listener.give(call.id, file.get(), false), ENOENT);
  call = next(listener);
  EXPECT_EQ(listener.give(call.id, file.get(), true), 0);
  call = next(listener);
  EXPECT_TRUE(listener.go_on(call.id));
  EXPECT_EQ(exit_status(child.wait()), kFine);
}

TEST(NotifyListener, DescriptorWhileTheCallGoesOnWaiting) {
  test::Filtered child("", [] {
    return openat("/a") == -1 && errno == EDOM && ::fcntl(5, F_GETFD) >= 0 ? kFine : 1;
  });
  const Listener listener(child.take_listener());
  child.go();
  const Fd file(::memfd_create("x", MFD_CLOEXEC));
  const Notification call = next(listener);
  int number = -1;
  do {
    number = listener.add(call.id, file.get(), true);
    ASSERT_GE(number, 0);
  } while (number < 5);
  EXPECT_TRUE(listener.is_waiting(call.id));
  EXPECT_TRUE(listener.answer(call.id, -EDOM));
  EXPECT_EQ(exit_status(child.wait()), kFine);
}

// No room for a descriptor: the call still waits for its answer.
TEST(NotifyListener, NoRoomForADescriptor) {
  test::Filtered child("", [] {
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_NOFILE, &none);
    return openat("/a") == -1 && errno == EMFILE ? kFine : 1;
  });
  const Listener listener(child.take_listener());
  child.go();
  const Fd file(::memfd_create("x", MFD_CLOEXEC));
  const Notification call = next(listener);
  EXPECT_EQ(listener.give(call.id, file.get(), true), EMFILE);
  EXPECT_EQ(listener.add(call.id, file.get(), true), -EMFILE);
  EXPECT_TRUE(listener.answer(call.id, -EMFILE));
  EXPECT_EQ(exit_status(child.wait()), kFine);
}

// A thread that gives is interrupted as one of the slow pool's may be, as often as it goes: each
// call returns its own descriptor, and none of them is lost.
TEST(NotifyListener, SignalsWhileADescriptorIsGiven) {
  constexpr int kCalls = 3000;
  test::Filtered child("", [] {
    for (int i = 0; i < kCalls; ++i) {
      const int given = static_cast<int>(openat("/a"));
      if (given <= STDERR_FILENO) return 1;
      if (::lseek(given, 0, SEEK_END) != 4711) return 2;
      ::close(given);
    }
    return test::open_descriptors().size() < 20 ? kFine : 3;
  });
  const Listener listener(child.take_listener());
  child.go();
  const session::NoInterrupts whole;  // as who gives holds
  const Fd file(::memfd_create("x", MFD_CLOEXEC));
  ASSERT_EQ(::ftruncate(file.get(), 4711), 0);
  session::prepare_interrupts();
  std::atomic<bool> done = false;
  std::thread interrupter([&done, giver = ::pthread_self()] {
    while (!done) {
      session::interrupt(giver);
      std::this_thread::sleep_for(std::chrono::microseconds(5));
    }
  });
  for (int answered = 0; answered < kCalls;) {
    const auto call = listener.receive();
    if (!call && listener.is_deserted()) break;
    if (!call) continue;
    ++answered;
    EXPECT_TRUE(listener.is_waiting(call->id));
    EXPECT_EQ(listener.give(call->id, file.get(), true), 0);
  }
  done = true;
  interrupter.join();
  EXPECT_EQ(exit_status(child.wait()), kFine);
}

TEST(NotifyListener, CallerKilledBeforeAndAfterItsCallWasReceived) {
  for (const bool before : {true, false}) {
    test::Filtered child("", [] { return openat("/a") < 0 ? 1 : 2; });
    const Listener listener(child.take_listener());
    child.go();
    pollfd waiting{listener.fd(), POLLIN, 0};
    ASSERT_EQ(::poll(&waiting, 1, -1), 1);
    Notification call;
    if (!before) call = next(listener);
    ::kill(child.pid(), SIGKILL);
    EXPECT_EQ(exit_status(child.wait()), 1000 + SIGKILL);
    const Fd file(::memfd_create("x", MFD_CLOEXEC));
    if (before) {
      EXPECT_FALSE(listener.receive());
    } else {
      EXPECT_FALSE(listener.is_waiting(call.id));
      EXPECT_FALSE(listener.answer(call.id, 0));
      EXPECT_FALSE(listener.go_on(call.id));
      EXPECT_EQ(listener.give(call.id, file.get(), true), ENOENT);
      EXPECT_EQ(listener.add(call.id, file.get(), true), -ENOENT);
    }
    ASSERT_EQ(::poll(&waiting, 1, -1), 1);
    EXPECT_NE(waiting.revents & POLLHUP, 0) << "nobody is left";
  }
}

}  // namespace
}  // namespace torno::notify
