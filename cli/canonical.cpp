#include "cli/canonical.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <deque>
#include <filesystem>
#include <string_view>
#include <system_error>

namespace torno::cli {

namespace {

constexpr int kMaxLinks = 40;  // as the kernel

std::deque<std::string> split(std::string_view path) {
  std::deque<std::string> components;
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string_view component = path.substr(0, slash);
    if (!component.empty() && component != ".") components.emplace_back(component);
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
  }
  return components;
}

// The links in /proc/PID/{cwd,root,exe,fd,ns,…} lead to objects, not to the names readlink shows.
// Those in /proc itself (self, mounts, net) are ordinary.
bool is_magic(const std::string& directory) {
  struct statfs filesystem{};
  return directory != "/proc" && statfs(directory.c_str(), &filesystem) == 0 &&
         filesystem.f_type == PROC_SUPER_MAGIC;
}

std::string parent(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 || slash == std::string::npos ? "" : path.substr(0, slash);
}

}  // namespace

Result<Canonical> canonicalise(const std::string& path, bool follow_last) {
  const auto fail = [&path](std::string_view why) {
    return std::unexpected(Error{escape(path) + ": " + std::string(why)});
  };
  if (path.empty()) return fail("an empty path names nothing");
  std::string start = path;
  if (!path.starts_with('/')) {
    std::error_code error;
    start = std::filesystem::current_path(error).string() + "/" + path;
    if (error) return fail("there is no working directory that it could start from");
  }

  if (path.ends_with('/')) follow_last = true;  // as the kernel does

  Canonical result;  // result.path is "" for the root until the end
  result.type = S_IFDIR;
  std::deque<std::string> pending = split(start);
  while (!pending.empty()) {
    const std::string component = pending.front();
    pending.pop_front();
    if (component == "..") {
      if (result.type != S_IFDIR) return fail("'..' stands behind something that is no directory");
      result.path = parent(result.path);
      continue;
    }
    const std::string directory = result.path;
    result.path += '/' + component;
    if (result.error != 0) continue;  // beneath something missing: the words are all there is

    struct stat status{};
    if (lstat(result.path.c_str(), &status) != 0) {
      result.error = errno;
      result.type = 0;
      continue;
    }
    result.type = status.st_mode & S_IFMT;
    if (!S_ISLNK(status.st_mode) || (pending.empty() && !follow_last)) continue;
    if (is_magic(directory)) {
      return fail("what " + escape(result.path) +
                  " leads to is known in the asking process alone; ask for that file itself");
    }
    if (result.links.size() == kMaxLinks) return fail("too many symbolic links");
    std::array<char, PATH_MAX> target{};
    const ssize_t size = readlink(result.path.c_str(), target.data(), target.size());
    if (size < 0) return std::unexpected(system_error("cannot read " + escape(result.path), errno));
    const std::string_view text(target.data(), static_cast<std::size_t>(size));
    const std::deque<std::string> way = split(text);
    pending.insert(pending.begin(), way.begin(), way.end());
    result.links.push_back(result.path);
    result.path = text.starts_with('/') ? "" : directory;
    result.type = S_IFDIR;
  }
  if (result.path.empty()) result.path = "/";
  return result;
}

}  // namespace torno::cli
