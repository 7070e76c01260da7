// torno::Sandbox: what the program gets, and what it may do.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <thread>

#include "broker/base/fd.h"
#include "tests/embedding/running.h"
#include "tests/support/temporary_directory.h"

namespace torno::embedding {
namespace {

using test::TemporaryDirectory;
using testing::Contains;
using testing::HasSubstr;
using How = Sandbox::How;
using Stream = Sandbox::Stream;

TEST(Embedding, MegabytesGoInAndOut) {
  Sandbox::Options options;
  options.arguments = {"cat"};
  options.input = options.output = Stream::pipe();
  Sandbox sandbox = must_start(options);
  std::string sent(std::size_t{4} << 20U, ' ');
  for (std::size_t i = 0; i < sent.size(); ++i) sent[i] = static_cast<char>('a' + i % 23);
  std::thread writer([&, fd = sandbox.take_input()] {
    std::size_t done = 0;
    while (done < sent.size()) {
      const ssize_t size = ::write(fd, sent.data() + done, sent.size() - done);
      if (size <= 0) break;
      done += static_cast<std::size_t>(size);
    }
    ::close(fd);
  });
  const std::string received = output_of(sandbox);
  writer.join();
  EXPECT_EQ(received, sent);
  const Sandbox::Result result = sandbox.wait();
  EXPECT_EQ(result.how, How::kExited);
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.walls, Contains("SECCOMP"));
}

TEST(Embedding, TheEndOfItsOutputIsSeenBeforeItsOwn) {
  Sandbox sandbox = must_start(shell("echo said; exec >&-; while :; do :; done"));
  EXPECT_EQ(output_of(sandbox), "said\n");
  EXPECT_FALSE(sandbox.wait_for(std::chrono::milliseconds(0)));
  sandbox.kill();
  EXPECT_EQ(sandbox.wait().how, How::kSignalled);
}

TEST(Embedding, StreamsAreDescriptorsOfTheCallers) {
  const TemporaryDirectory directory;
  const Fd input(::open(directory.write("in", "given\n").c_str(), O_RDONLY | O_CLOEXEC));
  const Fd output(::open((directory.path() + "/out").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  Sandbox::Options options = shell("read word; echo \"$word and taken\"; echo lost >&2");
  options.input = Stream::of(input.get());
  options.output = Stream::of(output.get());
  options.error = Stream::null();
  Sandbox sandbox = must_start(options);
  EXPECT_EQ(sandbox.wait().exit_code, 0);
  EXPECT_EQ(sandbox.output(), -1);
  EXPECT_EQ(::lseek(output.get(), 0, SEEK_SET), 0);
  EXPECT_EQ(read_all(output.get()), "given and taken\n");
}

TEST(Embedding, AFileIsReadWhereThePolicyOrTheCallerLetsIt) {
  const TemporaryDirectory directory;
  const std::string file = directory.write("secret", "text\n");
  Sandbox::Options options = shell("read word < " + file + " && echo \"$word\"");
  options.error = Stream::null();
  Sandbox refused = must_start(options);
  EXPECT_EQ(output_of(refused), "");
  const Sandbox::Result result = refused.wait();
  EXPECT_NE(result.exit_code, 0);
  EXPECT_GT(result.denials, 0U);

  options.read = {file};
  Sandbox by_caller = must_start(options);
  EXPECT_EQ(output_of(by_caller), "text\n");

  options.read.clear();
  options.policy_text = "include: \"base\"\nfile { path: \"${SECRET}\" allow: READ }\n";
  options.variables = {"SECRET=" + file};
  Sandbox by_text = must_start(options);
  EXPECT_EQ(output_of(by_text), "text\n");
}

TEST(Embedding, TheEnvironmentIsThatOfTorno) {
  ::setenv("EMBEDDING_KEPT", "kept", 1);
  ::setenv("LD_LIBRARY_PATH", "/nowhere", 1);
  Sandbox::Options options = shell("echo $EMBEDDING_KEPT $EMBEDDING_SET [$LD_LIBRARY_PATH]");
  options.environment = {"EMBEDDING_SET=set"};
  Sandbox sandbox = must_start(options);
  EXPECT_EQ(output_of(sandbox), "kept set []\n");
  ::unsetenv("EMBEDDING_KEPT");
  ::unsetenv("LD_LIBRARY_PATH");
}

// Who is wrong, and where.
TEST(Embedding, WhatCannotBeStartedSaysWhy) {
  const auto failure = [](const Sandbox::Options& options) {
    auto started = Sandbox::start(options);
    return started ? Sandbox::Failure{} : started.error();
  };
  Sandbox::Options wrong = shell("true");
  wrong.policy_text = "include: \"base\"\nfile { path: \"/tmp/**\" alow: READ }\n";
  EXPECT_EQ(failure(wrong).error, EINVAL);
  EXPECT_THAT(failure(wrong).message, HasSubstr("<policy>:2:"));
  EXPECT_THAT(failure(wrong).message, HasSubstr("error: "));

  Sandbox::Options missing;
  EXPECT_EQ(failure(missing).error, EINVAL);
  missing.arguments = {"/nowhere/at/all"};
  EXPECT_EQ(failure(missing).error, ENOENT);
  missing.arguments = {"/etc/passwd"};
  EXPECT_EQ(failure(missing).error, ENOEXEC);

  Sandbox::Options limit = shell("true");
  limit.limits.wall_time = std::chrono::seconds(0);
  EXPECT_EQ(failure(limit).error, EINVAL);
  Sandbox::Options stream = shell("true");
  stream.error = Stream::of(1 << 20);
  EXPECT_EQ(failure(stream).error, EINVAL);
  Sandbox::Options text = shell(std::string("true\0", 5));
  EXPECT_EQ(failure(text).error, EINVAL);
}

TEST(Embedding, ItsDescriptorIsReadableAtTheEnd) {
  Sandbox::Options options = shell("read word");
  options.input = Stream::pipe();
  Sandbox sandbox = must_start(options);
  pollfd ready{sandbox.fd(), POLLIN, 0};
  EXPECT_EQ(::poll(&ready, 1, 0), 0);
  EXPECT_FALSE(sandbox.wait_for(std::chrono::milliseconds(0)));
  sandbox.close_input();
  EXPECT_EQ(::poll(&ready, 1, -1), 1);
  const auto result = sandbox.wait_for(std::chrono::milliseconds(0));
  ASSERT_TRUE(result);
  EXPECT_EQ(result->exit_code, 1);
  EXPECT_EQ(sandbox.wait().exit_code, 1) << "it says the same again";
}

}  // namespace
}  // namespace torno::embedding
