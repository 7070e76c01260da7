// Rulesets: what they handle, that they hold, and that one session's rules are not another's.
#include "broker/filter/landlock.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "broker/filter/landlock_attributes.h"
#include "tests/broker/filter/child.h"

namespace torno::filter::test {
namespace {

constexpr int kFine = 0;
constexpr int kNotEntered = 99;

TEST(LandlockAttributes, GrowWithTheAbi) {
  EXPECT_EQ(landlock_attributes(1).filesystem, 0x1fffU);
  EXPECT_EQ(landlock_attributes(2).filesystem, 0x3fffU);
  EXPECT_EQ(landlock_attributes(3).filesystem, 0x7fffU);
  EXPECT_EQ(landlock_attributes(4).filesystem, 0x7fffU);
  EXPECT_EQ(landlock_attributes(5).filesystem, 0xffffU);
  EXPECT_EQ(landlock_attributes(99).filesystem, 0xffffU);
  EXPECT_EQ(landlock_attributes(3).network, 0U);
  EXPECT_EQ(landlock_attributes(4).network, 3U);
  EXPECT_EQ(landlock_attributes(5).scoped, 0U);
  EXPECT_EQ(landlock_attributes(6).scoped, 3U);
}

// An older kernel refuses a structure with something behind the end it knows.
TEST(LandlockAttributes, SizeIsWhatTheAbiKnows) {
  for (const int abi : {1, 2, 3}) EXPECT_EQ(landlock_attributes_size(abi), 8U);
  for (const int abi : {4, 5}) EXPECT_EQ(landlock_attributes_size(abi), 16U);
  for (const int abi : {6, 7, 99}) EXPECT_EQ(landlock_attributes_size(abi), 24U);
}

// A kernel without Landlock, as a child sees one whose filter says so.
TEST(LandlockMissing, IsAnErrorThatSaysSo) {
  const Instructions without = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_landlock_create_ruleset, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  EXPECT_EQ(in_child([&] {
              if (!load_filter(without)) return kNotEntered;
              const auto ruleset = make_ruleset();
              if (landlock_abi() != 0 || ruleset) return 1;
              return ruleset.error().message.find("no Landlock") != std::string::npos ? kFine : 2;
            }),
            exited(kFine));
}

class Ruleset : public testing::Test {
 protected:
  void SetUp() override {
    if (landlock_abi() == 0) GTEST_SKIP() << "this kernel has no Landlock";
    char name[] = "/tmp/torno-landlock-XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    directory_ = name;
    file_ = directory_ + "/file";
    std::ofstream(file_) << "content";
  }
  void TearDown() override {
    if (!directory_.empty()) std::filesystem::remove_all(directory_);
  }

  // What opening the file for reading says in a child under the ruleset; -1: under none.
  std::string open_under(int ruleset) const {
    return in_child([&] {
      if (ruleset >= 0 && !enter_ruleset(ruleset)) return kNotEntered;
      return ::open(file_.c_str(), O_RDONLY) >= 0 ? kFine : errno;
    });
  }

  // What a holder of the descriptor does: let everything beneath the directory be read.
  bool add_rule(int ruleset) const {
    const Fd parent(::open(directory_.c_str(), O_PATH | O_CLOEXEC));
    landlock_path_beneath_attr rule{};
    rule.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE;
    rule.parent_fd = parent.get();
    return ::syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
  }

  std::string directory_;
  std::string file_;
};

TEST_F(Ruleset, RefusesEveryPath) {
  const auto ruleset = make_ruleset();
  ASSERT_TRUE(ruleset) << ruleset.error().message;
  EXPECT_EQ(open_under(-1), exited(kFine));
  EXPECT_EQ(open_under(ruleset->get()), exited(EACCES));
}

TEST_F(Ruleset, RulesOfOneSessionAreNotAnothers) {
  const auto hostile = make_ruleset();
  const auto other = make_ruleset();
  ASSERT_TRUE(hostile && other);
  ASSERT_TRUE(add_rule(hostile->get()));
  // The attack works on whoever is handed the same ruleset …
  EXPECT_EQ(open_under(hostile->get()), exited(kFine));
  // … and on nobody else.
  EXPECT_EQ(open_under(other->get()), exited(EACCES));
  EXPECT_EQ(open_under(make_ruleset()->get()), exited(EACCES));
}

TEST_F(Ruleset, IsClosedOnExec) {
  const auto ruleset = make_ruleset();
  ASSERT_TRUE(ruleset);
  EXPECT_NE(::fcntl(ruleset->get(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST_F(Ruleset, KeepsSignalsInside) {
  if (landlock_abi() < 6) GTEST_SKIP() << "Landlock scopes signals from ABI 6 on";
  const auto ruleset = make_ruleset();
  ASSERT_TRUE(ruleset);
  const pid_t parent = ::getpid();
  const auto signal_parent = [&](bool confined) {
    return in_child([&] {
      if (confined && !enter_ruleset(ruleset->get())) return kNotEntered;
      return ::kill(parent, 0) == 0 ? kFine : errno;
    });
  };
  EXPECT_EQ(signal_parent(false), exited(kFine));
  EXPECT_EQ(signal_parent(true), exited(EPERM));
}

TEST_F(Ruleset, RefusesTcp) {
  if (landlock_abi() < 4) GTEST_SKIP() << "Landlock knows TCP from ABI 4 on";
  const auto ruleset = make_ruleset();
  ASSERT_TRUE(ruleset);
  const auto bind_loopback = [&](bool confined) {
    return in_child([&] {
      if (confined && !enter_ruleset(ruleset->get())) return kNotEntered;
      const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      return ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 ? kFine : errno;
    });
  };
  EXPECT_EQ(bind_loopback(false), exited(kFine));
  EXPECT_EQ(bind_loopback(true), exited(EACCES));
}

}  // namespace
}  // namespace torno::filter::test
