// The end of a session while one of its channels is given up: what waits on that channel is closed,
// and is one too many to be closed. The server runs inside the test, where an invalid access of its
// memory is the sanitizer's to report.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/sockios.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "broker/server/listener.h"
#include "broker/server/server.h"
#include "broker/session/limits.h"
#include "tests/broker/session/lingering.h"
#include "tests/support/processes.h"
#include "tests/support/raw_peer.h"
#include "tests/support/temporary_directory.h"

namespace torno::session {
namespace {

using test::eventually;
using test::RawPeer;

// A thread of this process by its name; 0: none.
pid_t thread_named(const std::string& name) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream file(entry.path() / "comm");
    std::string its_name;
    std::getline(file, its_name);
    if (its_name == name) return std::stoi(entry.path().filename());
  }
  return 0;
}

// Holds a thread while it lives.
class Held {
 public:
  explicit Held(pid_t thread) {
    ::sem_init(&held_, 0, 0);
    ::sem_init(&go_on_, 0, 0);
    ::signal(SIGUSR1, [](int) {
      ::sem_post(&held_);
      while (::sem_wait(&go_on_) != 0) continue;
    });
    ::syscall(SYS_tgkill, ::getpid(), thread, SIGUSR1);
    while (::sem_wait(&held_) != 0) continue;
  }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
  ~Held() { ::sem_post(&go_on_); }

 private:
  inline static sem_t held_;
  inline static sem_t go_on_;
};

class Retire : public testing::Test {
 protected:
  Retire() {
    files_.write("file", "content");
    policies_.write("all.policy", rule("[READ, WRITE]"));
    policies_.write("reader.policy", rule("READ"));
    server::Options options;
    options.policy_directories = {policies_.path()};
    options.audit_fd = log_.get();
    listener_.emplace(std::move(*server::Listener::bind(path("broker.sock"))));
    server_.emplace(std::move(*server::Server::create(options, path("broker.sock"))));
    server_->serve_listener(listener_->fd());
    thread_ = std::thread([this] { EXPECT_TRUE(server_->run()); });
  }
  ~Retire() override {
    server_->stop();
    thread_.join();
    EXPECT_TRUE(server_->drained());
  }

  std::string path(const std::string& name) const { return files_.path() + "/" + name; }
  std::string rule(const std::string& allow) const {
    return "file { path: \"" + path("file") + "\" allow: " + allow + " }\n";
  }
  RawPeer sealed() const {
    RawPeer peer = RawPeer::connect(path("broker.sock"));
    EXPECT_TRUE(peer.enter("all"));
    return peer;
  }
  int open_result(const RawPeer& channel, unsigned long flags) const {
    const auto answer = channel.ask_and_wait(test::open_message(1, path("file"), flags));
    return answer ? answer->message.reply().result() : -EIO;
  }

  bool logged(std::string_view text) const {
    std::string log(65536, '\0');
    const ssize_t size = ::pread(log_.get(), log.data(), log.size(), 0);
    return size > 0 && log.find(text) != std::string::npos;
  }

  const test::TemporaryDirectory files_;
  const test::TemporaryDirectory policies_;
  const Fd log_{::memfd_create("log", MFD_CLOEXEC)};
  std::optional<server::Listener> listener_;
  std::optional<server::Server> server_;
  std::thread thread_;
};

int unread_bytes(int socket) {
  int bytes = 0;
  return ::ioctl(socket, SIOCINQ, &bytes) == 0 ? bytes : -1;
}

// How many messages of `size` bytes find room in a socket that nobody reads.
int room_for(int size) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return 0;
  const Fd ours(ends[0]);
  const Fd theirs(ends[1]);
  const std::string message(static_cast<std::size_t>(size), 'x');
  int count = 0;
  while (::send(ours.get(), message.data(), message.size(), MSG_DONTWAIT) > 0) ++count;
  return count;
}

// Leaves the channel without room for an answer.
void fill(const RawPeer& channel) {
  const wire::ClientMessage denied = test::open_message(1, "/denied", O_RDONLY);
  int room = 1;
  int size = 0;
  for (int i = 0; i < room; ++i) {
    ASSERT_EQ(channel.send(denied), 0);
    ASSERT_TRUE(eventually([&] { return unread_bytes(channel.fd()) > i * size; }));
    if (i > 0) continue;
    size = unread_bytes(channel.fd());
    room = room_for(size);
  }
}

// This process has the broker's descriptors and its own.
bool may_open_enough() {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  return ::setrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_max > 2 * kMaxUnclosed;
}

TEST_F(Retire, WhatWaitsOnAChannelMayBeTooMuchToClose) {
  if (!may_open_enough()) {
    GTEST_SKIP() << "needs a hard RLIMIT_NOFILE of more than " << 2 * kMaxUnclosed;
  }
  const RawPeer other = sealed();
  const RawPeer peer = sealed();
  const RawPeer channel = peer.new_channel();
  RawPeer full = peer.new_channel();
  fill(full);

  // The answer, with two descriptors, waits for room.
  wire::ClientMessage narrow = test::request_message(2, "reader");
  narrow.mutable_request()->mutable_narrow();
  ASSERT_EQ(open_result(channel, O_RDWR), 0);
  ASSERT_EQ(full.send(narrow), 0);
  ASSERT_TRUE(eventually([&] { return open_result(channel, O_RDWR) == -EACCES; }));

  // As many as may be unclosed: behind one whose close does not end, the broker's being the last.
  const pid_t io_thread = thread_named(server::kIoThreadName);
  ASSERT_NE(io_thread, 0);
  Lingering lingering;
  std::optional<Uninterruptible> uninterruptible(std::in_place);
  wire::ClientMessage with_fd = test::open_message(3, "file", O_RDONLY);
  with_fd.mutable_request()->set_directory(wire::DIRECTORY_FD);
  with_fd.mutable_request()->set_channel(channel.id());
  {
    const Held held(io_thread);
    const Fd last = lingering.make();
    ASSERT_EQ(peer.send(with_fd, {last.get()}), 0);
  }
  ASSERT_TRUE(channel.receive());
  for (std::size_t i = 1; i < kMaxUnclosed; ++i) {
    ASSERT_EQ(peer.send(with_fd, {log_.get()}), 0);
    ASSERT_TRUE(channel.receive()) << "the session ended too early, after " << i;
  }
  EXPECT_EQ(open_result(channel, O_RDONLY), 0) << "positive control";

  full.close();
  EXPECT_TRUE(eventually([&] { return logged("its descriptors take too long to close"); }));
  uninterruptible.reset();
  EXPECT_TRUE(peer.wait_for_end());
  EXPECT_EQ(open_result(other.new_channel(), O_RDWR), 0);
}

}  // namespace
}  // namespace torno::session
