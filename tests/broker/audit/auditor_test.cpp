#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>
#include <vector>

#include "broker/audit/audit.h"
#include "broker/base/fd.h"

namespace torno::audit {
namespace {

using testing::ContainsRegex;
using testing::StartsWith;

struct Pipe {
  Pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return;
    out.reset(ends[0]);
    in.reset(ends[1]);
  }
  Fd out;
  Fd in;
};

std::string read_all(int fd) {
  std::string text;
  char buffer[4096];
  ::fcntl(fd, F_SETFL, O_NONBLOCK);
  for (ssize_t count; (count = ::read(fd, buffer, sizeof buffer)) > 0;) {
    text.append(buffer, static_cast<std::size_t>(count));
  }
  return text;
}

Event event() {
  Event event;
  event.set_session(1);
  event.mutable_started();
  return event;
}

TEST(AuditorTest, StampsTheTimeInUtc) {
  const Pipe pipe;
  Auditor(pipe.in.get(), Format::kJson).write(event());
  EXPECT_THAT(read_all(pipe.out.get()),
              ContainsRegex("^\\{\"time\":\"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}"
                            "\\.[0-9]{6}Z\","));
}

TEST(AuditorTest, NeverBlocksOnAFullPipeAndSaysWhatItLost) {
  const Pipe pipe;
  Auditor auditor(pipe.in.get(), Format::kText);
  ::fcntl(pipe.in.get(), F_SETPIPE_SZ, 4096);
  for (int i = 0; i < 1000; ++i) auditor.write(event());
  const std::string kept = read_all(pipe.out.get());
  const auto lines = std::count(kept.begin(), kept.end(), '\n');
  EXPECT_LT(lines, 1000);

  auditor.write(event());
  EXPECT_THAT(read_all(pipe.out.get()),
              StartsWith("torno: " + std::to_string(1000 - lines) + " events not shown\n"));
  EXPECT_EQ(::fcntl(pipe.in.get(), F_GETFL) & O_NONBLOCK, 0);
}

TEST(AuditorTest, NeverBlocksOnAFullSocket) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  const Fd in(ends[0]);
  const Fd out(ends[1]);
  Auditor auditor(in.get(), Format::kText);
  for (int i = 0; i < 10'000; ++i) auditor.write(event());
  EXPECT_THAT(read_all(out.get()), StartsWith("torno: session started"));
}

TEST(AuditorTest, LinesOfManyThreadsStayWhole) {
  const Pipe pipe;
  ::fcntl(pipe.in.get(), F_SETPIPE_SZ, 1 << 20);
  Auditor auditor(pipe.in.get(), Format::kText);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&auditor] {
      for (int n = 0; n < 200; ++n) auditor.write(event());
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::string text = read_all(pipe.out.get());
  std::size_t begin = 0;
  for (std::size_t end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
    EXPECT_EQ(text.substr(begin, end - begin), "torno: session started pid=0 uid=0 session=1");
  }
}

}  // namespace
}  // namespace torno::audit
