// What the tests of broker/policy share: loading a policy from text, and a directory of one's own.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "broker/policy/loader.h"

namespace torno::policy {

// The diagnostics of a load, as the user sees them.
std::vector<std::string> texts(const Loaded& loaded);

// Loads a policy that must be right, and without warnings.
PolicyPtr must_load(const std::string& text, const LoadOptions& options = {});

// The diagnostics of a policy that is named "t.policy".
std::vector<std::string> complaints(const std::string& text, const LoadOptions& options = {});

// A temporary directory, gone at the end; its path goes through no symlink.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::string& path() const { return path_; }
  void write(const std::string& name, std::string_view text) const;
  void make_directory(const std::string& name) const;
  void link(const std::string& name, const std::string& target) const;

 private:
  std::string path_;
};

inline bool allowed(const PolicyPtr& policy, std::string_view path, Permissions wanted = kRead) {
  return policy->decide_file(path, wanted).allowed;
}

}  // namespace torno::policy
