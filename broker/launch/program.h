// Program: what execve(2) would make of a name, looked at before anything is started: which files
// the kernel opens for it, and whether Torno starts it at all.
//
// The kernel looks again when it executes. What holds it to these files is Landlock's EXECUTE
// right, given for the descriptors here; a file swapped meanwhile does not run. binfmt_misc is not
// followed: what a handler there would run is none of these files either.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/base/fd.h"

namespace torno::launch {

// A file that the kernel opens to execute.
struct ProgramFile {
  std::string path;       // as it is named: by the caller, a #! line or an ELF file
  std::string real_path;  // absolute, without symlinks
  Fd file;                // O_PATH; everything was read of this file, not of the name again
};

struct Program {
  std::string path;  // for execve
  // In the order in which they are opened: scripts, if it is one, the ELF program, its loader if it
  // is dynamic.
  std::vector<ProgramFile> chain;
  // No loader heeds LD_PRELOAD. A loader that is itself the program counts as static.
  bool is_static = false;

  // The ELF program that runs: itself, or the last interpreter.
  const ProgramFile& executable() const { return chain[chain.size() - (is_static ? 1 : 2)]; }
};

// Why nothing can be started, and what `torno run` exits with.
struct NotStarted {
  static constexpr int kNotExecutable = 126;
  static constexpr int kNotFound = 127;

  int exit_code = kNotExecutable;
  std::string message;
};

// As execvp(3): a name with a '/' is a path, another one is looked for in the folders of
// `path_variable`, or of /bin:/usr/bin where there is no such variable. Relative paths start at
// `cwd`, a folder's descriptor or AT_FDCWD. A file of an unknown format is not given to a shell.
std::expected<Program, NotStarted> find_program(
    const std::string& name, const std::optional<std::string_view>& path_variable, int cwd);

}  // namespace torno::launch
