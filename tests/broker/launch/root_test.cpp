// The root of a launched program, from within, where nothing else holds the process: what a hole in
// the filter would show.
#include "broker/launch/root.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <functional>
#include <set>
#include <string>

#include "broker/policy/loader.h"
#include "tests/broker/launch/program_fixture.h"
#include "tests/support/in_a_child.h"
#include "tests/support/mount_namespace.h"

namespace torno::launch::test {
namespace {

using ::testing::Each;

constexpr const char* kPrograms = "file { path: \"/usr/bin/**\" allow: EXECUTE }\n";

using Names = std::set<std::string>;

// Every name there is, with what a link says.
Names names(const std::filesystem::path& folder = "/") {
  Names all;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    std::string name = entry.path().string();
    if (entry.is_symlink()) name += " -> " + std::filesystem::read_symlink(entry.path()).string();
    all.insert(name);
  }
  return all;
}

// The folders that lead to a file, and itself.
void add_way(Names& all, const std::filesystem::path& file) {
  for (auto at = file; at != "/"; at = at.parent_path()) all.insert(at.string());
}

class Root : public ProgramTest {
 protected:
  // In a process that has the root of this program.
  static void inside(const Program& program, const std::string& rules,
                     const std::function<void()>& look) {
    const auto loaded = policy::load_text(rules, "root.policy", {});
    ASSERT_NE(loaded.policy, nullptr);
    const auto plan = plan_root(*loaded.policy, program);
    ASSERT_TRUE(plan) << plan.error().message;
    torno::test::in_a_child(torno::test::enter_mount_namespace, [&] {
      ASSERT_EQ(build_root(*plan, -1, {}), 0);
      look();
    });
  }
  static void inside(const Program& program, const std::function<void()>& look) {
    inside(program, "", look);
  }

  static bool has_mount_namespaces() {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(torno::test::enter_mount_namespace() ? 0 : 1);
    int status = 0;
    ::waitpid(child, &status, 0);
    return status == 0;
  }
  void SetUp() override {
    if (!has_mount_namespaces()) GTEST_SKIP() << "this user has no mount namespace";
  }
};

// Of a dynamic program whose loader was executed, and finds no library.
constexpr int kLoaderRan = 127;
// Of a child that could not execute it.
constexpr int kNotExecuted = 100;

// Runs a program in a child; its exit status.
int execute(const char* path) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::execl(path, path, nullptr);
    ::_exit(kNotExecuted);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 200;
}

TEST_F(Root, HoldsTheFilesOfAStaticProgramAlone) {
  const auto program = find(TORNO_STATIC_PROGRAM);
  ASSERT_TRUE(program);
  Names expected;
  add_way(expected, program->path);
  ASSERT_TRUE(std::filesystem::exists("/etc/passwd"));  // positive control
  inside(*program, [&] {
    EXPECT_EQ(names(), expected);
    EXPECT_NE(execute(program->path.c_str()), kNotExecuted);
  });
}

TEST_F(Root, HoldsTheLoaderOfADynamicOneAndTheLinksOnTheWay) {
  const auto program = find("/bin/true");
  ASSERT_TRUE(program);
  ASSERT_FALSE(program->is_static);
  Names expected;
  for (const ProgramFile& file : program->chain) add_way(expected, file.real_path);
  inside(*program, [&] {
    Names links;
    for (const std::string& name : names()) {
      if (!expected.contains(name)) links.insert(name);
    }
    // On a merged-/usr system; elsewhere there are none.
    const auto is_known = testing::AnyOf(
        testing::HasSubstr(" -> usr/"), testing::HasSubstr("/ld-linux"), testing::Eq("/usr/lib64"));
    EXPECT_THAT(links, Each(is_known));
    EXPECT_EQ(execute("/bin/true"), kLoaderRan);
    EXPECT_EQ(execute("/bin/false"), kNotExecuted);
  });
}

TEST_F(Root, NothingInItCanBeChanged) {
  const std::string file = write("program", "#!/bin/true\n");
  const auto program = find(file);
  ASSERT_TRUE(program);
  const auto all_fail = [&] {
    return ::open("/made", O_WRONLY | O_CREAT, 0600) < 0 && errno == EROFS &&
           ::mkdir("/folder", 0700) != 0 && errno == EROFS && ::open(file.c_str(), O_WRONLY) < 0 &&
           errno == EROFS && ::unlink(file.c_str()) != 0 && (errno == EBUSY || errno == EROFS);
  };
  const Fd control(::open(file.c_str(), O_WRONLY | O_CLOEXEC));
  ASSERT_TRUE(control);  // positive control: outside it is this user's
  inside(*program, [&] {
    EXPECT_TRUE(all_fail()) << errno;
    struct statvfs system{};
    ASSERT_EQ(::statvfs("/", &system), 0);
    EXPECT_EQ(system.f_flag & (ST_RDONLY | ST_NOSUID | ST_NODEV), ST_RDONLY | ST_NOSUID | ST_NODEV);
    ASSERT_EQ(::statvfs(file.c_str(), &system), 0);
    EXPECT_EQ(system.f_flag & (ST_RDONLY | ST_NOSUID | ST_NODEV), ST_RDONLY | ST_NOSUID | ST_NODEV);
  });
}

TEST_F(Root, ScriptsHaveTheirInterpreters) {
  const std::string inner = write("inner", "#!/bin/true\n");
  const auto program = find(write("outer", "#!" + inner + "\n"));
  ASSERT_TRUE(program);
  inside(*program, [&] {
    EXPECT_EQ(execute(program->path.c_str()), kLoaderRan);
    EXPECT_THAT(names(directory_.path()),
                testing::UnorderedElementsAre(path("inner"), path("outer")));
  });
}

TEST_F(Root, LinksLeadWhereTheyDid) {
  folder("real");
  folder("real/below");
  std::filesystem::copy_file("/bin/true", path("real/program"));
  std::filesystem::create_directory_symlink(path("real"), path("absolute"));
  std::filesystem::create_directory_symlink("absolute/below/..", path("relative"));
  std::filesystem::create_symlink("../real/program", path("real/link"));
  const auto program = find(path("relative/./link"));
  ASSERT_TRUE(program) << told(program);
  inside(*program, [&] {
    EXPECT_EQ(execute(path("relative/./link").c_str()), kLoaderRan);
    EXPECT_EQ(execute(path("real/program").c_str()), kLoaderRan);
    EXPECT_FALSE(std::filesystem::exists("/etc"));
  });
}

TEST_F(Root, AProgramThatWasSwappedIsNotTaken) {
  const std::string name = copy("program");
  const auto program = find(name);
  ASSERT_TRUE(program);
  const auto loaded = policy::load_text("", "root.policy", {});
  const auto plan = plan_root(*loaded.policy, *program);
  ASSERT_TRUE(plan);
  std::filesystem::rename(copy("other", 0755, "/bin/false"), name);
  torno::test::in_a_child(torno::test::enter_mount_namespace,
                          [&] { EXPECT_EQ(build_root(*plan, -1, {}), ESTALE); });
}

// What is made by a relative name comes into being in the real one; the broker reads its name.
TEST_F(Root, TheWorkingDirectoryIsTheLaunchersOwn) {
  const auto program = find(TORNO_STATIC_PROGRAM);
  ASSERT_TRUE(program);
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(folder("work"));
  inside(*program, [&] {
    EXPECT_FALSE(std::filesystem::exists(path("work")));
    EXPECT_EQ(::mkdir("made", 0700), 0);
  });
  EXPECT_TRUE(std::filesystem::exists(path("work/made")));
  std::filesystem::current_path(before);
}

TEST_F(Root, WithExecuteRulesTheTreeStaysAndIsReadOnly) {
  const auto program = find("/bin/true");
  ASSERT_TRUE(program);
  const std::string file = write("file", "mine");
  inside(*program, kPrograms, [&] {
    EXPECT_TRUE(std::filesystem::exists("/etc/passwd"));
    EXPECT_EQ(execute("/bin/true"), 0);
    EXPECT_EQ(execute("/bin/false"), 1);
    EXPECT_EQ(::open(file.c_str(), O_WRONLY), -1);
    EXPECT_EQ(errno, EROFS);
    // On each mount, /dev among them.
    EXPECT_EQ(::open("/dev/null", O_WRONLY), -1);
    EXPECT_EQ(errno, EACCES);
  });
  const Fd control(::open(file.c_str(), O_WRONLY | O_CLOEXEC));
  EXPECT_TRUE(control) << "the launcher's own tree is as it was";
}

TEST_F(Root, ATreeStaysWhereTheProgramIsNamedThroughProc) {
  const auto program = find("/proc/self/exe");
  ASSERT_TRUE(program) << told(program);
  const auto loaded = policy::load_text("", "root.policy", {});
  const auto plan = plan_root(*loaded.policy, *program);
  ASSERT_TRUE(plan);
  EXPECT_TRUE(plan->keeps_tree);
}

}  // namespace
}  // namespace torno::launch::test
