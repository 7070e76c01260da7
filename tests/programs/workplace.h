// Workplace: a folder in which a program runs twice, as it is and under `torno run`.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tests/support/temporary_directory.h"

namespace torno::programs {

using Words = std::vector<std::string>;

struct Outcome {
  int status = -1;  // 128 + N: ended by signal N
  std::string out;
  std::string err;

  bool operator==(const Outcome&) const = default;
};
void PrintTo(const Outcome& outcome, std::ostream* stream);

// Is the program there, on the PATH that the programs get?
bool is_installed(const std::string& name);

class Workplace {
 public:
  const std::string& path() const { return folder_.path(); }
  std::string path(const std::string& name) const { return path() + "/" + name; }
  std::string write(const std::string& name, const std::string& text) const {
    return folder_.write(name, text);
  }
  std::string read(const std::string& name) const;
  void make_folder(const std::string& name) const;

  // What every later program reads from its standard input; without it nothing.
  void set_input(std::string text) { input_ = std::move(text); }

  // "NAME=VALUE": beside those that every program gets.
  void set_variables(Words variables) { variables_ = std::move(variables); }

  Outcome outside(const Words& command) const;
  // `options` are those of `torno run`.
  Outcome inside(const Words& options, const Words& command) const;

  // Both ways the same, and a success.
  void expect_same(const Words& options, const Words& command) const;
  // The same, and once more by the trap transport.
  void expect_same_by_both(const Words& options, const Words& command) const;
  // Fails inside, without the text that it shows outside.
  void expect_refused(const Words& options, const Words& command, const std::string& text) const;

 private:
  Outcome run(Words words) const;

  const test::TemporaryDirectory folder_;
  std::string input_;
  Words variables_;
};

}  // namespace torno::programs

// Skips the test where a program that it runs is missing.
#define TORNO_NEEDS(name)                                                              \
  if (!torno::programs::is_installed(name)) {                                          \
    GTEST_SKIP() << name << " is not installed; scripts/install-deps does install it"; \
  }                                                                                    \
  static_assert(true, "takes a semicolon")
