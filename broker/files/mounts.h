// Mounts: from which directory the broker opens a path. A launched program may have folders of its
// own: at their names the client finds them, where the broker's namespace has something else.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/base/fd.h"

namespace torno::files {

class Mounts {
 public:
  Mounts() = default;
  explicit Mounts(Fd root) : root_(std::move(root)) {}

  int root() const { return root_.get(); }  // "/", O_PATH

  // What the client has at the canonical path is this directory and what lies beneath it.
  void add(std::string path, Fd directory);

  struct Start {
    int directory;
    const char* path;  // relative to it
  };
  // For openat2. Behind the canonical path stands a NUL.
  Start start_of(std::string_view path) const;

  // Is it one of those folders itself? Its parent holds another one by that name.
  bool is_mount(std::string_view path) const;

 private:
  struct Mount {
    std::string path;
    Fd directory;
  };
  Fd root_;
  std::vector<Mount> mounts_;
};

}  // namespace torno::files
