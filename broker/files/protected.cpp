#include "broker/files/protected.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "broker/files/canonical_path.h"
#include "broker/files/syscalls.h"

namespace torno::files {

namespace {

// Also of what does not exist, as far as its way does.
std::string canonical_path(const std::string& path, std::error_code& error) {
  std::string canonical = std::filesystem::weakly_canonical(path, error).string();
  while (canonical.size() > 1 && canonical.ends_with('/')) canonical.pop_back();
  return canonical;
}

}  // namespace

std::string lock_of(const std::string& socket) {
  return socket + ".lock";
}

std::vector<std::string> brokers_own(const std::string& socket,
                                     const std::vector<std::string>& policy_directories) {
  std::vector<std::string> paths;
  const auto add = [&paths](const std::string& path) {
    if (path.empty()) return;
    std::error_code error;
    const std::string canonical = canonical_path(std::filesystem::absolute(path, error), error);
    paths.push_back(error ? path : canonical);  // find() says what is wrong with it
  };
  add(socket);
  if (!socket.empty()) add(lock_of(socket));
  for (const std::string& directory : policy_directories) add(directory);
  return paths;
}

Result<Protected> Protected::find(const std::vector<std::string>& paths) {
  Protected found;
  for (const std::string& path : paths) {
    std::error_code error;
    std::string canonical = canonical_path(path, error);
    if (error || !canonical.starts_with('/')) {
      return std::unexpected(Error{"cannot protect '" + escape(path) + "': " + error.message() +
                                   "; name an " + "absolute path that the broker can look at"});
    }
    struct statx stat{};
    if (::statx(AT_FDCWD, canonical.c_str(), 0, kIdentityMask, &stat) == 0) {
      found.objects_.push_back(stat);
    } else if (errno != ENOENT) {
      return std::unexpected(system_error("cannot protect '" + escape(path) + "'", errno));
    }
    found.paths_.push_back(std::move(canonical));
  }
  return found;
}

bool Protected::covers(std::string_view path) const {
  return std::ranges::any_of(
      paths_, [path](const std::string& mine) { return is_at_or_beneath(path, mine); });
}

bool Protected::is(const struct statx& stat) const {
  return std::ranges::any_of(objects_,
                             [&stat](const struct statx& mine) { return same_object(mine, stat); });
}

}  // namespace torno::files
