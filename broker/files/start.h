// Start: the text a request's path begins with, and the path.
#pragma once

#include <string>
#include <string_view>

#include "broker/files/task.h"

namespace torno::files {

class Start {
 public:
  // Checks the place and learns the name of a directory descriptor. False: the outcome is filled.
  bool find(const Task& task, const Aim& aim, Outcome& outcome);

  // The path as its text has it, if text alone can tell: no "..", nothing of /proc. Whether a
  // symlink stands in it is for the kernel to find out.
  bool resolve_by_text(const Aim& aim, Target& target) const;

  std::string_view base() const { return base_; }  // absolute, or empty
  std::string_view path() const { return path_; }

 private:
  bool find_base(const Task& task, Outcome& outcome);

  std::string_view base_;
  std::string_view path_;
  std::string directory_name_;  // what base_ points into for a descriptor
};

// Does the client's openat2 keep the walk inside its directory?
inline bool is_scoped(std::uint64_t resolve) {
  return (resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT)) != 0;
}

}  // namespace torno::files
