// Calls that the handler reissues: marked, unmarked, and near misses of the mark.
#include <gtest/gtest.h>
#include <linux/close_range.h>
#include <signal.h>

#include "proto/wire.pb.h"
#include "tests/broker/filter/simulate.h"

namespace torno::filter::test {
namespace {

constexpr std::uint64_t kMark = static_cast<std::uint64_t>(wire::REISSUE_MARK) << 32;
constexpr std::uint64_t kPointer = 0x7fff'dead'b000;
constexpr std::uint64_t kHighPointer = 0x1'0000'0000;  // its low half is zero

class Translated : public testing::Test {
 protected:
  void expect(const char* call, const Arguments& arguments, const char* wanted) const {
    EXPECT_EQ(says(program_, call, arguments), wanted)
        << call << std::hex << " " << arguments[0] << " " << arguments[1] << " " << arguments[2]
        << " " << arguments[3] << " " << arguments[4] << " " << arguments[5];
  }

  // The call with `index` marked is native; with anything but the mark there it traps.
  void expect_mark(const char* call, std::size_t index, Arguments arguments) const {
    const std::uint64_t low = arguments[index] & 0xffff'ffff;
    for (const std::uint64_t near :
         {std::uint64_t{0}, kMark ^ (std::uint64_t{1} << 32), kMark ^ (std::uint64_t{1} << 63),
          kMark >> 32, kMark << 1, kMark & 0xff00'0000'0000'0000, 0xffff'ffff'0000'0000U,
          kGarbage}) {
      arguments[index] = (near & 0xffff'ffff'0000'0000U) | low;
      expect(call, arguments, "TRAP");
    }
    arguments[index] = kMark | low;
    expect(call, arguments, "ALLOW");
    for (std::size_t other = 0; other < arguments.size(); ++other) {
      Arguments elsewhere = arguments;
      elsewhere[index] = low;
      elsewhere[other] = kMark | (elsewhere[other] & 0xffff'ffff);
      if (other != index) expect(call, elsewhere, "TRAP");
    }
  }

  Instructions program_ = compile_text("");
};

TEST_F(Translated, SigactionKeepsSigsys) {
  expect_mark("rt_sigaction", 0, {SIGTERM, kPointer, kPointer, 8, 0, 0});
  expect_mark("rt_sigaction", 0, {SIGSYS, kPointer, kPointer, 8, 0, 0});
  expect("rt_sigaction", {SIGTERM, 0, kPointer, 8, 0, 0}, "ALLOW");
  expect("rt_sigaction", {kGarbage | SIGTERM, 0, kPointer, 8, 0, 0}, "ALLOW");
  expect("rt_sigaction", {SIGTERM, kHighPointer, kPointer, 8, 0, 0}, "TRAP");
  expect("rt_sigaction", {SIGSYS, 0, kPointer, 8, 0, 0}, "TRAP");
  expect("rt_sigaction", {kGarbage | SIGSYS, 0, kPointer, 8, 0, 0}, "TRAP");
}

TEST_F(Translated, SignalMasks) {
  expect_mark("rt_sigprocmask", 0, {SIG_SETMASK, kPointer, 0, 8, 0, 0});
  expect("rt_sigprocmask", {SIG_SETMASK, 0, kPointer, 8, 0, 0}, "ALLOW");
  expect("rt_sigprocmask", {SIG_BLOCK, kHighPointer, 0, 8, 0, 0}, "TRAP");
  expect_mark("rt_sigsuspend", 2, {kPointer, 8, 0, 0, 0, 0});
  expect_mark("rt_sigsuspend", 2, {0, 8, 0, 0, 0, 0});
}

TEST_F(Translated, WaitsWithAMask) {
  expect_mark("ppoll", 1, {kPointer, 3, 0, kPointer, 8, 0});
  expect("ppoll", {kPointer, 3, 0, 0, 8, 0}, "ALLOW");
  expect("ppoll", {kPointer, kGarbage | 3, 0, 0, 8, 0}, "ALLOW");
  expect("ppoll", {kPointer, 3, 0, kHighPointer, 8, 0}, "TRAP");
  expect_mark("pselect6", 0, {3, kPointer, 0, 0, 0, kPointer});
  expect("pselect6", {3, kPointer, 0, 0, 0, 0}, "ALLOW");
  expect("pselect6", {3, kPointer, 0, 0, 0, kHighPointer}, "TRAP");
  for (const char* call : {"epoll_pwait", "epoll_pwait2"}) {
    expect_mark(call, 0, {3, kPointer, 8, 100, kPointer, 8});
    expect(call, {3, kPointer, 8, 100, 0, 8}, "ALLOW");
    expect(call, {3, kPointer, 8, 100, kHighPointer, 8}, "TRAP");
  }
}

TEST_F(Translated, Umask) {
  expect_mark("umask", 0, {022, 0, 0, 0, 0, 0});
}

TEST_F(Translated, CloseRangeSparesTheControlDescriptor) {
  expect_mark("close_range", 0, {3, 4031, 0, 0, 0, 0});
  expect_mark("close_range", 0, {3, wire::LAST_CHANNEL_FD, CLOSE_RANGE_CLOEXEC, 0, 0, 0});
  expect("close_range", {kMark | 3, 0, 0, 0, 0, 0}, "ALLOW");
  for (const std::uint64_t last :
       {std::uint64_t{wire::CONTROL_FD}, std::uint64_t{4096}, std::uint64_t{0xffff'ffff},
        kGarbage | 3, kHighPointer, ~std::uint64_t{0}}) {
    expect("close_range", {kMark | 3, last, 0, 0, 0, 0}, "TRAP");
  }
  for (const std::uint64_t flags : {std::uint64_t{CLOSE_RANGE_UNSHARE},
                                    kGarbage | CLOSE_RANGE_UNSHARE, std::uint64_t{0xffff'ffff}}) {
    expect("close_range", {kMark | 3, 4000, flags, 0, 0, 0}, "TRAP");
  }
}

TEST_F(Translated, LimitsOfTheProcessItself) {
  expect("prlimit64", {0, 7, 0, kPointer, 0, 0}, "ALLOW");
  expect("prlimit64", {kGarbage, 7, 0, kPointer, 0, 0}, "ALLOW");
  expect("prlimit64", {0, 7, kHighPointer, kPointer, 0, 0}, "TRAP");
  expect("prlimit64", {1, 7, 0, kPointer, 0, 0}, "TRAP");
  expect_mark("prlimit64", 0, {0, 7, kPointer, 0, 0, 0});
  expect("prlimit64", {kMark | 1, 7, kPointer, 0, 0, 0}, "TRAP");
  expect("prlimit64", {kMark | 1, 7, 0, kPointer, 0, 0}, "TRAP");
  expect("setrlimit", {kMark | 7, kPointer, 0, 0, 0, 0}, "TRAP");
}

TEST_F(Translated, SendmsgOnTheControlSocketAlone) {
  expect("sendmsg", {wire::CONTROL_FD, kPointer, 0, 0, 0, 0}, "ALLOW");
  expect("sendmsg", {kGarbage | wire::CONTROL_FD, kPointer, 0, 0, 0, 0}, "ALLOW");
  expect("sendmsg", {kMark | 3, kPointer, 0, 0, 0, 0}, "TRAP");
  for (const std::uint64_t fd : {0U, 3U, 4031U, 4032U, 4094U, 4096U}) {
    expect("sendmsg", {fd, kPointer, 0, 0, 0, 0}, "TRAP");
  }
  expect("sendmmsg", {wire::CONTROL_FD, kPointer, 1, 0, 0, 0}, "TRAP");
}

TEST_F(Translated, AlwaysTrapped) {
  for (const char* call : {"openat", "newfstatat", "statx", "faccessat2", "readlinkat", "chdir"}) {
    for (const std::uint64_t directory : {std::uint64_t{0xffff'ff9c}, ~std::uint64_t{99}, kMark}) {
      expect(call, {directory, kPointer, 0, 0, 0, 0}, "TRAP");
    }
  }
  expect("fchdir", {3, 0, 0, 0, 0, 0}, "ALLOW");
  expect("fstat", {3, kPointer, 0, 0, 0, 0}, "ALLOW");
}

}  // namespace
}  // namespace torno::filter::test
