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

bool is_among(const std::vector<struct statx>& objects, const struct statx& stat) {
  return std::ranges::any_of(objects,
                             [&stat](const struct statx& one) { return same_object(one, stat); });
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
    for (auto way = std::filesystem::path(canonical).parent_path(); way.has_relative_path();
         way = way.parent_path()) {
      struct statx object{};
      if (::statx(AT_FDCWD, way.c_str(), AT_SYMLINK_NOFOLLOW, kIdentityMask, &object) == 0) {
        found.ways_.push_back(object);
      }
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
  return is_among(objects_, stat);
}

bool Protected::leads_through(std::string_view path) const {
  return std::ranges::any_of(
      paths_, [path](const std::string& mine) { return is_at_or_beneath(mine, path); });
}

bool Protected::leads_by(const struct statx& stat) const {
  return is_among(ways_, stat);
}

}  // namespace torno::files
