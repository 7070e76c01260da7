// Protected: the broker's own sockets and policy directories. Whoever could open one of them
// would ask for a wider policy, or write one; so no policy reaches them.
#pragma once

#include <sys/stat.h>

#include <string>
#include <string_view>
#include <vector>

#include "broker/base/error.h"

namespace torno::files {

// The file by which brokers of one socket take turns to start.
std::string lock_of(const std::string& socket);

// The paths of what a broker keeps for itself, absolute: the socket on which it listens ("" for
// none) with its lock, and the folders of its policies. One that does not exist may be made later,
// and is read.
std::vector<std::string> brokers_own(const std::string& socket,
                                     const std::vector<std::string>& policy_directories);

class Protected {
 public:
  // A path that does not exist yet is protected by its name alone.
  static Result<Protected> find(const std::vector<std::string>& paths);

  // Is the canonical path one of them, or beneath one?
  bool covers(std::string_view path) const;
  // Is it one of their inodes, under whatever name?
  bool is(const struct statx& stat) const;

  // Does the canonical path lead to one of them? What is moved there would be walked through.
  bool leads_through(std::string_view path) const;
  // Is it the inode of a directory that led to one of them when they were found?
  bool leads_by(const struct statx& stat) const;

 private:
  std::vector<std::string> paths_;
  std::vector<struct statx> objects_;
  std::vector<struct statx> ways_;
};

}  // namespace torno::files
