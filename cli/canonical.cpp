#include "cli/canonical.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <deque>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "broker/files/procfs.h"

namespace torno::cli {

namespace {

namespace procfs = files::procfs;

constexpr int kMaxLinks = 40;  // as the kernel

class Way {
 public:
  Way(const std::string& asked, bool follow_last) : asked_(asked), follow_last_(follow_last) {}

  Result<Canonical> go();

 private:
  Result<void> step(const std::string& name);
  Result<void> follow_link();
  void up();
  void prepend(std::string_view text);
  std::unexpected<Error> fail(std::string_view why) const {
    return std::unexpected(Error{escape(asked_) + ": " + std::string(why)});
  }

  const std::string& asked_;
  const bool follow_last_;
  Canonical at_;  // at_.path is "" for the root until the end
  std::deque<std::string> ahead_;
  int links_ = 0;
};

Result<Canonical> Way::go() {
  std::string start = asked_;
  if (!asked_.starts_with('/')) {
    std::error_code error;
    start = std::filesystem::current_path(error).string() + "/" + asked_;
    if (error) return fail("there is no working directory that it could start from");
  }
  prepend(start);
  at_.type = S_IFDIR;
  while (!ahead_.empty()) {
    const std::string name = ahead_.front();
    ahead_.pop_front();
    if (const Result<void> done = step(name); !done) return std::unexpected(done.error());
  }
  if (at_.path.empty()) at_.path = "/";
  if (!at_.passed.empty() && at_.passed.back() == at_.path) at_.passed.pop_back();
  return std::move(at_);
}

Result<void> Way::step(const std::string& name) {
  if (name == "..") {
    if (at_.type != S_IFDIR) return fail("'..' stands behind something that is no directory");
    at_.walked = true;
    up();
    return {};
  }
  bool other_process = false;
  if (at_.path == procfs::kRoot) {
    const auto entry = procfs::entry(name, getpid());
    other_process = !entry;
    at_.path += '/' + std::string(entry.value_or(name));
  } else {
    at_.path += '/' + name;
  }
  at_.walked = at_.walked || procfs::covers(at_.path);
  at_.passed.push_back(at_.path);
  if (at_.error != 0) return {};  // behind something missing: the words are all there is
  if (at_.path == procfs::kSelf) return {};

  struct stat status{};
  at_.error = other_process ? EACCES : lstat(at_.path.c_str(), &status) == 0 ? 0 : errno;
  at_.type = at_.error != 0 ? 0 : status.st_mode & S_IFMT;
  if (at_.type == S_IFLNK && (!ahead_.empty() || follow_last_)) return follow_link();
  return {};
}

Result<void> Way::follow_link() {
  if (procfs::link(at_.path) != procfs::Link::kNone) {
    return fail("what " + escape(at_.path) +
                " leads to is known in the asking process alone; ask for that file itself");
  }
  if (++links_ > kMaxLinks) return fail("too many symbolic links");
  std::array<char, PATH_MAX> target{};
  const ssize_t size = readlink(at_.path.c_str(), target.data(), target.size());
  if (size < 0) return std::unexpected(system_error("cannot read " + escape(at_.path), errno));
  const std::string_view text(target.data(), static_cast<std::size_t>(size));
  prepend(text);
  up();
  if (text.starts_with('/')) at_.path.clear();
  at_.walked = true;
  return {};
}

void Way::up() {
  at_.path.resize(at_.path.empty() ? 0 : at_.path.rfind('/'));
  at_.type = S_IFDIR;
}

void Way::prepend(std::string_view text) {
  std::deque<std::string> names;
  while (!text.empty()) {
    const std::size_t slash = text.find('/');
    const std::string_view name = text.substr(0, slash);
    if (!name.empty() && name != ".") names.emplace_back(name);
    text.remove_prefix(slash == std::string_view::npos ? text.size() : slash + 1);
  }
  ahead_.insert(ahead_.begin(), names.begin(), names.end());
}

}  // namespace

Result<Canonical> canonicalise(const std::string& path, bool follow_last) {
  if (path.empty()) return std::unexpected(Error{"an empty path names nothing"});
  // The kernel follows a last link with a slash behind it.
  return Way(path, follow_last || path.ends_with('/')).go();
}

}  // namespace torno::cli
