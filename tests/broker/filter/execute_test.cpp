// Execution under a ruleset: what is named runs, with all that the kernel opens on the way, and
// nothing else does.
#include <dlfcn.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <vector>

#include "broker/filter/executables.h"
#include "broker/filter/landlock.h"
#include "tests/broker/filter/child.h"
#include "tests/support/temporary_directory.h"

namespace torno::filter::test {
namespace {

constexpr int kNotEntered = 99;
constexpr int kStaticProgramSays = 42;
constexpr const char* kLoader = "/lib64/ld-linux-x86-64.so.2";

Fd path_fd(const std::string& path) {
  return Fd(::open(path.c_str(), O_PATH | O_CLOEXEC));
}

class Execute : public testing::Test {
 protected:
  void SetUp() override {
    if (landlock_abi() == 0) GTEST_SKIP() << "this kernel has no Landlock";
    for (const std::string& path : {allowed_, other_}) {
      std::filesystem::copy_file(TORNO_STATIC_PROGRAM, path);
    }
  }

  // A script whose interpreter is `interpreter`.
  std::string script(const std::string& name, const std::string& interpreter) const {
    const std::string path = directory_.write(name, "#!" + interpreter + "\n");
    ::chmod(path.c_str(), 0755);
    return path;
  }

  // How a child ends that executes the path under a ruleset that allows these; null: under none.
  static std::string run(const std::string& path, const std::vector<std::string>* executable) {
    Fd ruleset;
    if (executable != nullptr) {
      std::vector<Fd> fds;
      std::vector<int> numbers;
      for (const std::string& each : *executable) {
        fds.push_back(path_fd(each));
        EXPECT_TRUE(fds.back()) << each;
        numbers.push_back(fds.back().get());
      }
      auto made = make_ruleset(numbers);
      if (!made) return made.error().message;
      ruleset = std::move(*made);
    }
    return run_under(path, ruleset);
  }

  static std::string run_under(const std::string& path, const Fd& ruleset) {
    return in_child([&] {
      if (ruleset && !enter_ruleset(ruleset.get())) return kNotEntered;
      char* arguments[] = {const_cast<char*>(path.c_str()), nullptr};
      char* environment[] = {nullptr};
      ::execve(path.c_str(), arguments, environment);
      return errno;
    });
  }

  torno::test::TemporaryDirectory directory_;
  const std::string allowed_ = directory_.path() + "/allowed";
  const std::string other_ = directory_.path() + "/other";
};

TEST_F(Execute, OnlyTheNamedFileRuns) {
  const std::vector<std::string> one = {allowed_};
  const std::vector<std::string> none;
  for (const std::string& path : {allowed_, other_}) {
    EXPECT_EQ(run(path, nullptr), exited(kStaticProgramSays));
    EXPECT_EQ(run(path, &none), exited(EACCES));
  }
  EXPECT_EQ(run(allowed_, &one), exited(kStaticProgramSays));
  EXPECT_EQ(run(other_, &one), exited(EACCES));
}

// The rule is about the file, not its name: another one put there does not run.
TEST_F(Execute, AFileSwappedIntoTheNameDoesNotRun) {
  const Fd fd = path_fd(allowed_);
  const auto ruleset = make_ruleset({{fd.get()}});
  ASSERT_TRUE(ruleset) << ruleset.error().message;
  EXPECT_EQ(run_under(allowed_, *ruleset), exited(kStaticProgramSays));
  std::filesystem::rename(other_, allowed_);
  EXPECT_EQ(run_under(allowed_, *ruleset), exited(EACCES));
  EXPECT_EQ(run_under(allowed_, Fd()), exited(kStaticProgramSays));
}

TEST_F(Execute, ATreeHoldsAllBeneath) {
  const std::vector<std::string> tree = {directory_.path()};
  EXPECT_EQ(run(allowed_, &tree), exited(kStaticProgramSays));
  EXPECT_EQ(run("/bin/true", &tree), exited(EACCES));
}

TEST_F(Execute, AScriptNeedsItsInterpreter) {
  const std::string path = script("script", allowed_);
  const std::vector<std::string> both = {path, allowed_};
  const std::vector<std::string> script_alone = {path};
  const std::vector<std::string> interpreter_alone = {allowed_};
  EXPECT_EQ(run(path, nullptr), exited(kStaticProgramSays));
  EXPECT_EQ(run(path, &both), exited(kStaticProgramSays));
  EXPECT_EQ(run(path, &script_alone), exited(EACCES));
  EXPECT_EQ(run(path, &interpreter_alone), exited(EACCES));
}

TEST_F(Execute, ADynamicProgramNeedsItsLoader) {
  if (::access(kLoader, X_OK) != 0) GTEST_SKIP() << "no dynamic loader at " << kLoader;
  Dl_info libc{};
  ASSERT_NE(::dladdr(reinterpret_cast<const void*>(&::puts), &libc), 0);
  const std::string libraries = std::filesystem::canonical(libc.dli_fname).parent_path().string();
  const std::string program = std::filesystem::canonical("/bin/true").string();
  const std::string loader = std::filesystem::canonical(kLoader).string();
  const std::vector<std::string> alone = {program};
  const std::vector<std::string> all = {program, loader, libraries};
  EXPECT_EQ(run(program, nullptr), exited(0));
  EXPECT_EQ(run(program, &alone), exited(EACCES));
  EXPECT_EQ(run(program, &all), exited(0));
}

TEST_F(Execute, PlacesOfAPolicyGoIntoARuleset) {
  const ExecutablePlace places[] = {
      {allowed_, false}, {other_, true}, {directory_.path(), false}, {"/no/such", false}};
  auto ruleset = make_ruleset();
  ASSERT_TRUE(ruleset) << ruleset.error().message;
  ASSERT_TRUE(allow_executables(ruleset->get(), places));
  // A file is no tree, and a directory no file: neither of these is a rule.
  EXPECT_EQ(run_under(allowed_, *ruleset), exited(kStaticProgramSays));
  EXPECT_EQ(run_under(other_, *ruleset), exited(EACCES));
}

std::string run_memory(unsigned mode) {
  const Fd source(::open(TORNO_STATIC_PROGRAM, O_RDONLY | O_CLOEXEC));
  Fd file(::memfd_create("program", MFD_CLOEXEC));
  struct stat status{};
  EXPECT_EQ(::fstat(source.get(), &status), 0);
  for (off_t at = 0; at < status.st_size;) {
    if (::sendfile(file.get(), source.get(), &at, static_cast<std::size_t>(status.st_size)) <= 0) {
      return "cannot copy";
    }
  }
  EXPECT_EQ(::fchmod(file.get(), mode), 0);
  // A file that is open for writing is not executed.
  const Fd reader(
      ::open(("/proc/self/fd/" + std::to_string(file.get())).c_str(), O_RDONLY | O_CLOEXEC));
  file.reset();
  const auto ruleset = make_ruleset();
  if (!ruleset) return ruleset.error().message;
  return in_child([&] {
    if (!enter_ruleset(ruleset->get())) return kNotEntered;
    char name[] = "program";
    char* arguments[] = {name, nullptr};
    char* environment[] = {nullptr};
    ::fexecve(reader.get(), arguments, environment);
    return errno;
  });
}

// Why the notify program lets no memfd be made that could be executed.
TEST_F(Execute, LandlockDoesNotHoldAMemoryFile) {
  EXPECT_EQ(run_memory(0777), exited(kStaticProgramSays));
  EXPECT_EQ(run_memory(0600), exited(EACCES));
}

}  // namespace
}  // namespace torno::filter::test
