// Devices, FIFOs, sockets: opened only where a rule names the type, and nobody waits.
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "tests/broker/files/files_fixture.h"

namespace torno::files {
namespace {

class SpecialFile : public FilesFixture {
 protected:
  void SetUp() override {
    FilesFixture::SetUp();
    ASSERT_EQ(::mkfifo(at("fifo").c_str(), 0666), 0);
  }

  Outcome open_now(const std::string& path, std::uint64_t flags) {
    return files_->open(policy_, {.place = place(path), .flags = flags}, Wait::kNever);
  }
};

TEST_F(SpecialFile, FifoNeedsItsType) {
  allow(R"(file { path: "$D/**" allow: [READ, WRITE] })");
  for (const int flags : {O_RDONLY, O_WRONLY, O_RDWR, O_RDONLY | O_NONBLOCK}) {
    const Outcome outcome = open(at("fifo"), static_cast<std::uint64_t>(flags));
    ASSERT_TRUE(is_denied(outcome, at("fifo")));
    EXPECT_NE(outcome.denial->wanted & policy::kFifo, 0);
  }
}

TEST_F(SpecialFile, RefusedFifoIsNotEvenOpened) {
  // A reader that opens lets a writer in: with the naive way of opening first and checking then.
  const Fd reader(::open(at("fifo").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  Fd writer(::open(at("fifo").c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
  ASSERT_TRUE(writer) << "the control: an open reader is seen";
  writer.reset();
  allow(R"(file { path: "$D/**" allow: READ })");
  const Fd other_end(::open(at("fifo").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  EXPECT_TRUE(is_denied(open(at("fifo"), O_WRONLY | O_NONBLOCK)));
  EXPECT_TRUE(is_denied(open(at("fifo"), O_RDONLY | O_NONBLOCK)));
}

TEST_F(SpecialFile, FifoOpensAtOnceWhenItCannotWait) {
  allow(R"(file { path: "$D/**" allow: [READ, WRITE] type: FIFO })");
  EXPECT_EQ(open(at("fifo"), O_RDONLY | O_NONBLOCK).error, 0);
  EXPECT_EQ(open(at("fifo"), O_WRONLY | O_NONBLOCK).error, ENXIO);
  const Outcome both = open(at("fifo"), O_RDWR);
  ASSERT_EQ(both.error, 0);
  EXPECT_EQ(::fcntl(both.fd.get(), F_GETFL) & O_NONBLOCK, 0);
}

TEST_F(SpecialFile, FifoThatWouldWaitIsLeftToAThreadThatMay) {
  allow(R"(file { path: "$D/**" allow: [READ, WRITE] type: FIFO })");
  EXPECT_TRUE(open_now(at("fifo"), O_RDONLY).would_block);
  EXPECT_TRUE(open_now(at("fifo"), O_WRONLY).would_block);

  std::thread writer([this] {
    const Fd fd(::open(at("fifo").c_str(), O_WRONLY | O_CLOEXEC));
    EXPECT_EQ(::write(fd.get(), "x", 1), 1);
  });
  const Outcome outcome =
      files_->open(policy_, {.place = place(at("fifo")), .flags = O_RDONLY}, Wait::kMayBlock);
  EXPECT_EQ(outcome.error, 0);
  EXPECT_EQ(::fcntl(outcome.fd.get(), F_GETFL) & O_NONBLOCK, 0);
  char byte = 0;
  EXPECT_EQ(::read(outcome.fd.get(), &byte, 1), 1);
  writer.join();
}

TEST_F(SpecialFile, SignalEndsTheWaitForAFifo) {
  allow(R"(file { path: "$D/**" allow: READ type: FIFO })");
  struct sigaction before{};
  struct sigaction interrupt{};
  interrupt.sa_handler = [](int) {};  // without SA_RESTART
  ASSERT_EQ(::sigaction(SIGUSR1, &interrupt, &before), 0);
  std::atomic<bool> ended = false;
  const pthread_t waiting = ::pthread_self();
  std::thread sender([&ended, waiting] {
    while (!ended) {
      ::pthread_kill(waiting, SIGUSR1);
      ::usleep(1000);
    }
  });
  const Outcome outcome =
      files_->open(policy_, {.place = place(at("fifo")), .flags = O_RDONLY}, Wait::kMayBlock);
  ended = true;
  sender.join();
  EXPECT_EQ(outcome.error, EINTR);
  ::sigaction(SIGUSR1, &before, nullptr);
}

TEST_F(SpecialFile, DeviceNeedsItsType) {
  allow(R"(file { path: "/dev/null" allow: [READ, WRITE] })");
  EXPECT_TRUE(is_denied(open("/dev/null"), "/dev/null"));
  EXPECT_TRUE(is_denied(open("/dev/null", O_WRONLY), "/dev/null"));
  EXPECT_EQ(open("/dev/null", O_PATH).error, 0);
  EXPECT_TRUE(S_ISCHR(stat("/dev/null").stat.stx_mode));

  allow(R"(file { path: "/dev/null" allow: [READ, WRITE] type: CHARACTER_DEVICE })");
  for (const int flags : {O_RDONLY, O_WRONLY | O_TRUNC, O_RDWR | O_NONBLOCK}) {
    const Outcome outcome = open("/dev/null", static_cast<std::uint64_t>(flags));
    ASSERT_EQ(outcome.error, 0);
    EXPECT_EQ(::fcntl(outcome.fd.get(), F_GETFL) & O_NONBLOCK, flags & O_NONBLOCK);
  }
  EXPECT_EQ(open("/dev/null", O_WRONLY | O_CREAT | O_TRUNC, 0666).error, 0);
}

TEST_F(SpecialFile, TypeOfOneIsNoTypeOfAnother) {
  allow(R"(file { path: "/dev/null" allow: READ type: [BLOCK_DEVICE, FIFO, SOCKET] }
           file { path: "$D/**" allow: READ type: CHARACTER_DEVICE })");
  EXPECT_TRUE(is_denied(open("/dev/null")));
  EXPECT_TRUE(is_denied(open(at("fifo"), O_RDONLY | O_NONBLOCK)));
}

TEST_F(SpecialFile, MadeDeviceIsNotOpened) {
  if (::mknod(at("zero").c_str(), S_IFCHR | 0666, makedev(1, 5)) != 0) {
    GTEST_SKIP() << "only root makes device nodes";
  }
  allow(R"(file { path: "$D/**" allow: READ })");
  EXPECT_TRUE(is_denied(open(at("zero")), at("zero")));
  link("zero", "link");
  EXPECT_TRUE(is_denied(open(at("link")), at("zero")));
}

TEST_F(SpecialFile, SlowDeviceIsLeftToAThreadThatMayWait) {
  allow(R"(file { path: "/dev/ptmx" allow: [READ, WRITE] type: CHARACTER_DEVICE }
           file { path: "/dev/pts/ptmx" allow: [READ, WRITE] type: CHARACTER_DEVICE })");
  if (::access("/dev/ptmx", F_OK) != 0) GTEST_SKIP() << "there is no /dev/ptmx";
  EXPECT_TRUE(open_now("/dev/ptmx", O_RDWR).would_block);
}

TEST_F(SpecialFile, SocketIsNeverOpened) {
  const Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  at("socket").copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  allow(R"(file { path: "$D/**" allow: READ })");
  EXPECT_TRUE(is_denied(open(at("socket"))));
  allow(R"(file { path: "$D/**" allow: READ type: SOCKET })");
  EXPECT_EQ(open(at("socket")).error, ENXIO) << "as the kernel";
}

}  // namespace
}  // namespace torno::files
