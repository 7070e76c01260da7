#include "tests/cli/run_torno.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "broker/base/fd.h"

namespace torno::cli {

namespace {

// Files, not pipes: the program may say as much as it likes before anybody reads.
Fd capture() {
  Fd file(memfd_create("output", MFD_CLOEXEC));
  EXPECT_TRUE(file);
  return file;
}

std::string contents(const Fd& file) {
  std::string text;
  std::array<char, 4096> block{};
  off_t at = 0;
  for (ssize_t got = 0; (got = pread(file.get(), block.data(), block.size(), at)) > 0; at += got) {
    text.append(block.data(), static_cast<std::size_t>(got));
  }
  return text;
}

// What went to `out` is its reader's to take.
Said run(const Fd& out, const std::vector<std::string>& arguments) {
  const Fd err = capture();
  const std::string program = TORNO_BINARY_DIR "/bin/torno";
  std::vector<char*> argv{const_cast<char*>(program.c_str())};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err.get(), STDERR_FILENO);
  pid_t pid = 0;
  const int error = posix_spawn(&pid, program.c_str(), &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  EXPECT_EQ(error, 0) << "cannot start " << program;
  if (error != 0) return {};

  int status = 0;
  EXPECT_EQ(waitpid(pid, &status, 0), pid);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, {}, contents(err)};
}

}  // namespace

Said run_torno(const std::vector<std::string>& arguments) {
  const Fd out = capture();
  Said said = run(out, arguments);
  said.out = contents(out);
  return said;
}

Said run_torno_into(const std::string& file, const std::vector<std::string>& arguments) {
  const Fd out(open(file.c_str(), O_WRONLY | O_CLOEXEC));
  EXPECT_TRUE(out) << file;
  return run(out, arguments);
}

Variable::Variable(const char* name, const std::string& value) : name_(name) {
  if (const char* before = std::getenv(name)) before_ = before;
  setenv(name, value.c_str(), 1);
}

Variable::~Variable() {
  if (before_) {
    setenv(name_, before_->c_str(), 1);
  } else {
    unsetenv(name_);
  }
}

TemporaryDirectory::TemporaryDirectory() {
  std::string pattern = std::filesystem::temp_directory_path().string() + "/torno-cli.XXXXXX";
  EXPECT_NE(mkdtemp(pattern.data()), nullptr);
  path_ = std::filesystem::canonical(pattern).string();
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TemporaryDirectory::write(const std::string& name, const std::string& text) const {
  std::ofstream(path(name)) << text;
  return path(name);
}

}  // namespace torno::cli
