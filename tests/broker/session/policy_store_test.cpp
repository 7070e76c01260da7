#include "broker/session/policy_store.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
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
  EXPECT_FALSE(store_.shared("wrong"));
  directory_.write("wrong.policy", "");
  EXPECT_TRUE(test::eventually([&] { return store_.find("wrong", common_, {}).has_value(); }));
  EXPECT_TRUE(store_.shared("wrong"));
}

// Of one session only: another one's variables may make it right.
TEST_F(PolicyStoreTest, AFailureIsRememberedForItsVariables) {
  directory_.write("cwd.policy", R"(file { path: "${CWD}" allow: READ })");
  EXPECT_FALSE(store_.find("cwd", common_, {{"CWD", "no/path"}}));
  EXPECT_TRUE(store_.find("cwd", common_, {{"CWD", "/usr"}}));
}

// As from a file server that does not answer: here from a FIFO that nobody writes to.
TEST_F(PolicyStoreTest, ASlowLoadDelaysNobodyWhosePolicyIsLoaded) {
  policy::LoadOptions with_paths = options(directory_.path());
  with_paths.allow_paths = true;
  PolicyStore store(with_paths);
  ASSERT_TRUE(store.find("plain", common_, {}));
  const std::string fifo = directory_.path() + "/fifo.policy";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  auto slow = std::async(std::launch::async, [&] { return store.find(fifo, common_, {}); });
  Fd writer;
  ASSERT_TRUE(test::eventually([&] {
    writer = Fd(::open(fifo.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
    return static_cast<bool>(writer);
  }));
  auto loaded = std::async(std::launch::async, [&] { return store.find("plain", common_, {}); });
  EXPECT_EQ(loaded.wait_for(std::chrono::minutes(1)), std::future_status::ready);
  EXPECT_EQ(slow.wait_for(std::chrono::seconds(0)), std::future_status::timeout)
      << "positive control: it still loads";
  writer.reset();
  EXPECT_TRUE(slow.get());
  EXPECT_TRUE(loaded.get());
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
