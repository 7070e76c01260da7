#include "broker/session/policy_store.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <future>

#include "tests/support/processes.h"
#include "tests/support/temporary_directory.h"

namespace torno::session {
namespace {

using testing::HasSubstr;

class PolicyStoreTest : public testing::Test {
 protected:
  PolicyStoreTest() {
    directory_.write("plain.policy", R"(file { path: "/usr/share/**" allow: READ })");
    directory_.write("home.policy", R"(file { path: "${HOME}/**" allow: READ })");
    directory_.write("cwd.policy", R"(file { path: "${CWD}/**" allow: READ })");
    directory_.write("wrong.policy", "file {\n  pth: \"/x\"\n}\n");
  }

  static policy::LoadOptions options(const std::string& directory) {
    policy::LoadOptions options;
    options.directories = {directory};
    return options;
  }

  test::TemporaryDirectory directory_;
  PolicyStore store_{options(directory_.path())};
  const Variables common_{{"HOME", "/home/somebody"}};
};

TEST_F(PolicyStoreTest, LoadsOnceForAll) {
  const auto first = store_.find("plain", common_, {{"PID", "1"}});
  const auto second = store_.find("plain", common_, {{"PID", "2"}});
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->policy, second->policy);
  EXPECT_EQ(first->program, second->program);
}

TEST_F(PolicyStoreTest, CommonVariablesAreCommon) {
  const auto first = store_.find("home", common_, {});
  const auto second = store_.find("home", common_, {});
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->policy, second->policy);
  EXPECT_TRUE(first->policy->decide_file("/home/somebody/x", policy::kRead).allowed);
}

// What one session's variables say must not become another session's rules.
TEST_F(PolicyStoreTest, APolicyOfOneSessionIsNotShared) {
  const auto first = store_.find("cwd", common_, {{"CWD", "/usr"}});
  const auto second = store_.find("cwd", common_, {{"CWD", "/var"}});
  ASSERT_TRUE(first && second);
  EXPECT_TRUE(first->policy->decide_file("/usr/x", policy::kRead).allowed);
  EXPECT_FALSE(first->policy->decide_file("/var/x", policy::kRead).allowed);
  EXPECT_FALSE(second->policy->decide_file("/usr/x", policy::kRead).allowed);
  EXPECT_TRUE(second->policy->decide_file("/var/x", policy::kRead).allowed);
}

TEST_F(PolicyStoreTest, SaysWhatIsWrong) {
  const auto missing = store_.find("nosuch", common_, {});
  ASSERT_FALSE(missing);
  EXPECT_TRUE(missing.error().missing);
  EXPECT_THAT(missing.error().message, HasSubstr("nosuch"));
  const auto wrong = store_.find("wrong", common_, {});
  ASSERT_FALSE(wrong);
  EXPECT_FALSE(wrong.error().missing);
  EXPECT_THAT(wrong.error().message, HasSubstr("wrong.policy:2:"));
}

TEST_F(PolicyStoreTest, AWrongPolicyIsReadAgain) {
  ASSERT_FALSE(store_.find("wrong", common_, {}));
  directory_.write("wrong.policy", "");
  EXPECT_TRUE(test::eventually([&] { return store_.find("wrong", common_, {}).has_value(); }));
}

// Of one session only: another one's variables may make it right.
TEST_F(PolicyStoreTest, AFailureIsRememberedForItsVariables) {
  directory_.write("cwd.policy", R"(file { path: "${CWD}" allow: READ })");
  EXPECT_FALSE(store_.find("cwd", common_, {{"CWD", "no/path"}}));
  EXPECT_TRUE(store_.find("cwd", common_, {{"CWD", "/usr"}}));
}

// A policy that takes long to load, from the moment its file is opened.
TEST_F(PolicyStoreTest, ASlowLoadDelaysNobodyWhosePolicyIsLoaded) {
  ASSERT_TRUE(store_.find("plain", common_, {}));
  std::string rules;
  for (int i = 0; i < 20'000; ++i) {
    rules += "file { path: \"/no/such/" + std::to_string(100'000 + i) + "*/x\" allow: READ }\n";
  }
  const auto finds_while_it_loads = [&](const std::string& name) {
    const std::string file = directory_.write(name + ".policy", rules);
    const Fd watch(::inotify_init1(IN_CLOEXEC));
    EXPECT_GE(::inotify_add_watch(watch.get(), file.c_str(), IN_OPEN), 0);
    auto slow = std::async(std::launch::async, [&] { return store_.find(name, common_, {}); });
    inotify_event opened{};
    EXPECT_EQ(::read(watch.get(), &opened, sizeof opened), ssize_t{sizeof opened});
    EXPECT_TRUE(store_.find("plain", common_, {}));
    const bool still_loads = slow.wait_for(std::chrono::seconds(0)) == std::future_status::timeout;
    EXPECT_TRUE(slow.get());
    return still_loads;
  };
  bool found = false;
  for (int i = 0; i < 10 && !found; ++i) found = finds_while_it_loads("slow" + std::to_string(i));
  EXPECT_TRUE(found);
}

// What a new session gets when the files of its policy change. Each begins with a policy that is
// loaded and shared, and allows reading what is asked for.
class ChangedPolicy : public PolicyStoreTest {
 protected:
  bool allows(const std::string& name, const std::string& path) {
    const auto found = store_.find(name, common_, {});
    return found && found->policy->decide_file(path, policy::kRead).allowed;
  }
  std::string error(const std::string& name) {
    const auto found = store_.find(name, common_, {});
    return found ? "" : found.error().message;
  }
  // As if it had been written long ago: what a look at the file tells is enough then.
  void age(const std::string& file) const {
    const timespec times[2] = {{1'000'000'000, 0}, {1'000'000'000, 0}};
    ASSERT_EQ(::utimensat(AT_FDCWD, (directory_.path() + "/" + file).c_str(), times, 0), 0);
  }
};

TEST_F(ChangedPolicy, ATighterOneHoldsAtOnce) {
  ASSERT_TRUE(allows("plain", "/usr/share/x"));
  const auto before = store_.find("plain", common_, {});
  directory_.write("plain.policy", R"(file { path: "/usr/share/doc/**" allow: READ })");
  EXPECT_FALSE(allows("plain", "/usr/share/x"));
  EXPECT_TRUE(allows("plain", "/usr/share/doc/x"));
  EXPECT_TRUE(before->policy->decide_file("/usr/share/x", policy::kRead).allowed)
      << "a session that runs keeps its own";
}

// Of the same size, within the same tick of the file system's clock, with the same time in it.
TEST_F(ChangedPolicy, NoChangeIsTooQuickOrTooSmall) {
  const std::string allow = R"(file { path: "/a" allow: READ })";
  const std::string other = R"(file { path: "/b" allow: READ })";
  for (int i = 0; i < 200; ++i) {
    directory_.write("small.policy", i % 2 == 0 ? allow : other);
    age("small.policy");
    ASSERT_EQ(allows("small", "/a"), i % 2 == 0) << i;
    ASSERT_EQ(allows("small", "/b"), i % 2 != 0) << i;
  }
}

TEST_F(ChangedPolicy, OneThatIsReplacedHoldsAtOnce) {
  ASSERT_TRUE(allows("plain", "/usr/share/x"));
  directory_.write("new", R"(file { path: "/usr/share/**" deny: READ })");
  ASSERT_EQ(std::rename((directory_.path() + "/new").c_str(),
                        (directory_.path() + "/plain.policy").c_str()),
            0);
  EXPECT_FALSE(allows("plain", "/usr/share/x"));
}

TEST_F(ChangedPolicy, ADeletedOneIsRefused) {
  ASSERT_TRUE(allows("plain", "/usr/share/x"));
  std::filesystem::remove(directory_.path() + "/plain.policy");
  EXPECT_THAT(error("plain"), HasSubstr("no policy 'plain'"));
}

TEST_F(ChangedPolicy, OneThatNoLongerLoadsIsRefused) {
  ASSERT_TRUE(allows("plain", "/usr/share/x"));
  directory_.write("plain.policy", "file {\n  pth: \"/usr\"\n}\n");
  EXPECT_THAT(error("plain"), HasSubstr("plain.policy:2:3: error: unknown field"));
  EXPECT_THAT(error("plain"), HasSubstr("unknown field")) << "remembered for a second";
}

TEST_F(ChangedPolicy, WhatItIncludesCounts) {
  directory_.write("outer.policy", R"(include: "middle")");
  directory_.write("middle.policy", R"(include: "inner")");
  directory_.write("inner.policy", R"(file { path: "/inner" allow: READ })");
  ASSERT_TRUE(allows("outer", "/inner"));
  directory_.write("inner.policy", R"(file { path: "/other" allow: READ })");
  EXPECT_FALSE(allows("outer", "/inner"));
  std::filesystem::remove(directory_.path() + "/inner.policy");
  EXPECT_THAT(error("outer"), HasSubstr("no policy 'inner'"));
}

// A policy directory that comes earlier in the search path gets a file of that name.
TEST_F(ChangedPolicy, AnEarlierDirectoryGoesFirst) {
  const test::TemporaryDirectory earlier;
  policy::LoadOptions both = options(earlier.path());
  both.directories.push_back(directory_.path());
  PolicyStore store(both);
  const auto reads = [&](const std::string& name, const std::string& path) {
    const auto found = store.find(name, common_, {});
    return found && found->policy->decide_file(path, policy::kRead).allowed;
  };
  directory_.write("outer.policy", R"(include: "plain")");
  ASSERT_TRUE(reads("plain", "/usr/share/x"));
  ASSERT_TRUE(reads("outer", "/usr/share/x"));
  earlier.write("plain.policy", "");
  EXPECT_FALSE(reads("plain", "/usr/share/x"));
  EXPECT_FALSE(reads("outer", "/usr/share/x")) << "by its include";
}

TEST_F(ChangedPolicy, ABuiltInOneGivesWayToAFile) {
  directory_.write("outer.policy", R"(profile: NO_WRITE)");
  ASSERT_TRUE(allows("NO_WRITE", "/usr/share/x"));
  ASSERT_TRUE(allows("outer", "/usr/share/x"));
  directory_.write("NO_WRITE.policy", "");
  EXPECT_FALSE(allows("NO_WRITE", "/usr/share/x"));
  EXPECT_FALSE(allows("outer", "/usr/share/x"));
}

TEST_F(ChangedPolicy, WithoutAChangeItIsNotLoadedAgain) {
  ASSERT_TRUE(allows("plain", "/usr/share/x"));
  const auto first = store_.find("plain", common_, {});
  directory_.write("another.policy", "");
  const auto second = store_.find("plain", common_, {});
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->policy, second->policy);
}

TEST_F(PolicyStoreTest, FromText) {
  const auto found =
      store_.from_text("file { path: \"/usr/x\" allow: READ }", "further.policy", common_);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_TRUE(found->policy->decide_file("/usr/x", policy::kRead).allowed);
  EXPECT_FALSE(store_.from_text("nonsense", "further.policy", common_));
}

}  // namespace
}  // namespace torno::session
