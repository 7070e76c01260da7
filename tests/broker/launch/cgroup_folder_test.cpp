// Cgroup folders, in the hierarchies that this user may write.
#include "broker/launch/cgroup_folder.h"

#include <gtest/gtest.h>
#include <linux/magic.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "broker/launch/cgroup.h"
#include "tests/support/processes.h"

namespace torno::launch {
namespace {

// Where processes of this test may be put; empty: nowhere. The root of v2 needs no controllers.
std::string parent_of(CgroupVersion version) {
  if (version == CgroupVersion::kV1) {
    const auto places = find_cgroup_places({Controller::kProcesses}, false);
    const bool found = !places.found.empty() && places.found.front().version == version;
    return found ? places.found.front().folder : std::string();
  }
  for (const char* path : {"/sys/fs/cgroup/unified", "/sys/fs/cgroup"}) {
    struct statfs status{};
    const bool unified = ::statfs(path, &status) == 0 && status.f_type == CGROUP2_SUPER_MAGIC;
    if (unified && ::access(path, W_OK) == 0) return path;
  }
  return {};
}

class CgroupFolder : public testing::TestWithParam<CgroupVersion> {
 protected:
  void SetUp() override {
    parent_ = parent_of(GetParam());
    if (parent_.empty()) GTEST_SKIP() << "this user may make no cgroup of this version";
  }
  void TearDown() override {
    if (child_ > 0) {
      ::kill(child_, SIGKILL);
      ::waitpid(child_, nullptr, 0);
    }
    if (path_.empty()) return;
    test::eventually([&] { return ::rmdir(path_.c_str()) == 0 || errno == ENOENT; });
  }
  void make(const std::string& name) {
    path_ = parent_ + "/" + name;
    ASSERT_EQ(::mkdir(path_.c_str(), 0755), 0);
  }
  void put_a_process_in() {
    child_ = ::fork();
    if (child_ == 0) {
      for (;;) ::pause();
    }
    const Fd folder = open_locked(path_);
    ASSERT_TRUE(write_value(folder, "cgroup.procs", std::to_string(child_)));
  }
  bool is_there() const { return ::access(path_.c_str(), F_OK) == 0; }
  // Of a process that has ended, and so of nobody.
  static std::string stale_name() {
    const pid_t process = ::fork();
    if (process == 0) ::_exit(0);
    ::waitpid(process, nullptr, 0);
    return "torno-" + std::to_string(process) + "-test";
  }

  std::string parent_;
  std::string path_;
  pid_t child_ = -1;
};

TEST_P(CgroupFolder, EndsWithThoseInIt) {
  make(cgroup_name());
  put_a_process_in();
  EXPECT_NE(::rmdir(path_.c_str()), 0);  // as it is
  const Fd folder = open_locked(path_);
  ASSERT_TRUE(folder);
  EXPECT_TRUE(end_cgroup(folder, path_, GetParam()));
  EXPECT_FALSE(is_there());
  int status = 0;
  ASSERT_EQ(::waitpid(child_, &status, 0), child_);
  child_ = -1;
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

TEST_P(CgroupFolder, OfADeadLauncherIsRemoved) {
  make(stale_name());
  remove_stale_cgroups(parent_, GetParam());
  EXPECT_FALSE(is_there());
}

TEST_P(CgroupFolder, OfALiveLauncherStays) {
  make(cgroup_name());
  remove_stale_cgroups(parent_, GetParam());
  EXPECT_TRUE(is_there());
}

// The launcher's number may be another's here, where it lives in another pid namespace.
TEST_P(CgroupFolder, ThatIsLockedStays) {
  Fd lock;
  // Another test's launcher may remove it before it is locked.
  ASSERT_TRUE(test::eventually([&] {
    path_ = parent_ + "/" + stale_name();
    if (::mkdir(path_.c_str(), 0755) == 0) lock = open_locked(path_);
    return static_cast<bool>(lock);
  }));
  remove_stale_cgroups(parent_, GetParam());
  EXPECT_TRUE(is_there());
}

TEST_P(CgroupFolder, OfAnotherNameStays) {
  make("tornot-" + std::to_string(::getpid()) + "-test");
  remove_stale_cgroups(parent_, GetParam());
  EXPECT_TRUE(is_there());
}

INSTANTIATE_TEST_SUITE_P(Versions, CgroupFolder,
                         testing::Values(CgroupVersion::kV1, CgroupVersion::kV2),
                         [](const auto& version) {
                           return version.param == CgroupVersion::kV1 ? "V1" : "V2";
                         });

TEST(CgroupPlaces, NoneAreLookedForWithoutALimit) {
  const Cgroup cgroup = Cgroup::make({});
  EXPECT_EQ(cgroup.version(Controller::kMemory), std::nullopt);
  EXPECT_EQ(cgroup.missing(), "");
}

}  // namespace
}  // namespace torno::launch
