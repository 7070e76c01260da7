// Links: where a path of a rule leads through the symlinks that stand there when the policy is
// loaded.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace torno::policy {

struct Destination {
  std::string path;                // canonical as far as it exists
  std::vector<std::string> links;  // every symlink on the way, canonical, in order
  bool hidden = false;             // a path on the way may not be looked at; `path` is as written
};

// May the path be looked at? Empty: every one.
using MayLook = std::function<bool(std::string_view)>;

class LinkResolver {
 public:
  // Follows the symlinks of an absolute path, that of its last component too. What does not
  // exist, or may not be looked at, stays as written; so does a path that links in a circle.
  // Links of procfs are not followed: /proc/self would be the broker's own.
  Destination resolve(std::string_view path, const MayLook& may_look = {});

 private:
  // The target of the symlink at `path`; nothing when it is no symlink.
  std::optional<std::string> target(const std::string& parent, const std::string& path);

  // Answers given before: a hundred thousand rules share their directories.
  std::map<std::string, std::optional<std::string>, std::less<>> known_;
};

}  // namespace torno::policy
