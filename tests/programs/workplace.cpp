#include "tests/programs/workplace.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <sstream>

#include "broker/base/fd.h"

namespace torno::programs {
namespace {

// Where Debian has its programs; another python3 or node that the user has put before them needs
// rules of its own.
constexpr const char* kFolders[] = {"/usr/bin", "/bin"};

Fd file_of(const std::string& text) {
  Fd file(::memfd_create("standard", MFD_CLOEXEC));
  EXPECT_EQ(::pwrite(file.get(), text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  return file;
}

std::string text_of(const Fd& file) {
  std::string text;
  std::array<char, 4096> block{};
  off_t at = 0;
  for (ssize_t got = 0; (got = ::pread(file.get(), block.data(), block.size(), at)) > 0;
       at += got) {
    text.append(block.data(), static_cast<std::size_t>(got));
  }
  return text;
}

std::vector<char*> pointers(Words& words) {
  std::vector<char*> result;
  for (std::string& word : words) result.push_back(word.data());
  result.push_back(nullptr);
  return result;
}

}  // namespace

void PrintTo(const Outcome& outcome, std::ostream* stream) {
  *stream << "status " << outcome.status << "\nout: " << outcome.out << "\nerr: " << outcome.err;
}

bool is_installed(const std::string& name) {
  for (const char* folder : kFolders) {
    if (::access((std::string(folder) + "/" + name).c_str(), X_OK) == 0) return true;
  }
  return false;
}

std::string Workplace::read(const std::string& name) const {
  std::ostringstream text;
  text << std::ifstream(path(name), std::ios::binary).rdbuf();
  return text.str();
}

void Workplace::make_folder(const std::string& name) const {
  EXPECT_EQ(::mkdir(path(name).c_str(), 0755), 0) << name;
}

Outcome Workplace::run(Words words) const {
  Words variables = {
      "PATH=/usr/bin:/bin", "LANG=C.UTF-8", "TZ=UTC",
      "HOME=" + path(),     "TMPDIR=/tmp",  "TORNO_POLICY_PATH=" TORNO_SOURCE_DIR "/policies"};
  variables.insert(variables.end(), variables_.begin(), variables_.end());
  const std::vector<char*> argv = pointers(words);
  const std::vector<char*> envp = pointers(variables);
  const Fd in = file_of(input_);
  const Fd out = file_of("");
  const Fd err = file_of("");
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(in.get(), STDIN_FILENO);
    ::dup2(out.get(), STDOUT_FILENO);
    ::dup2(err.get(), STDERR_FILENO);
    environ = const_cast<char**>(envp.data());  // its PATH counts
    if (::chdir(path().c_str()) == 0) ::execvp(argv[0], argv.data());
    ::_exit(127);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return {code, text_of(out), text_of(err)};
}

Outcome Workplace::outside(const Words& command) const {
  return run(command);
}

Outcome Workplace::inside(const Words& options, const Words& command) const {
  Words words = {TORNO_BINARY_DIR "/bin/torno", "run"};
  words.insert(words.end(), options.begin(), options.end());
  words.emplace_back("--");
  words.insert(words.end(), command.begin(), command.end());
  return run(std::move(words));
}

void Workplace::expect_same(const Words& options, const Words& command) const {
  const Outcome free = outside(command);
  EXPECT_EQ(free.status, 0) << testing::PrintToString(free);
  const Outcome confined = inside(options, command);
  if (confined == free) return;
  Words loud = options;
  loud.emplace_back("--verbose");
  EXPECT_EQ(confined, free) << "with --verbose: " << inside(loud, command).err;
}

void Workplace::expect_same_by_both(const Words& options, const Words& command) const {
  expect_same(options, command);
  const std::string report = path("report of its transport");
  Words by_trap = options;
  by_trap.insert(by_trap.end(), {"--mode", "trap", "--report", report});
  expect_same(by_trap, command);
  EXPECT_THAT(read("report of its transport"), testing::HasSubstr("\"transport\":\"trap\""));
  ::unlink(report.c_str());
}

void Workplace::expect_refused(const Words& options, const Words& command,
                               const std::string& text) const {
  EXPECT_THAT(outside(command).out, testing::HasSubstr(text));
  const Outcome confined = inside(options, command);
  EXPECT_NE(confined.status, 0);
  EXPECT_THAT(confined.out, testing::Not(testing::HasSubstr(text)));
  EXPECT_THAT(confined.err, testing::Not(testing::HasSubstr(text)));
}

}  // namespace torno::programs
