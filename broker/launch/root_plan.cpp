#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "broker/filter/executables.h"
#include "broker/launch/root.h"
#include "broker/policy/quantity.h"

namespace torno::launch {
namespace {

constexpr int kMaxLinks = 40;  // as the kernel

// Walks the names of a program's files as the kernel will, and takes down what it meets on the way
// from the root on. A relative name is walked from the working directory, which is that of the
// launcher's namespace, and comes to the root by an absolute symlink alone.
class Walk {
 public:
  // False: the way cannot be foreseen.
  bool add(const std::string& name) {
    links_ = 0;
    std::string ahead = name;
    if (!start(ahead)) return false;
    while (true) {
      const std::size_t begin = ahead.find_first_not_of('/');
      if (begin == std::string::npos) return true;
      const std::size_t end = std::min(ahead.find('/', begin), ahead.size());
      const std::string part = ahead.substr(begin, end - begin);
      ahead.erase(0, end);
      if (!step(part, ahead)) return false;
    }
  }

  // By their paths: a folder comes before what it holds.
  std::vector<RootEntry> entries() const {
    std::vector<RootEntry> all;
    for (const auto& [path, entry] : entries_) all.push_back(entry);
    return all;
  }

 private:
  bool start(std::string_view text) {
    if (text.starts_with('/')) return at_root();
    inside_ = false;
    return open(AT_FDCWD, ".");
  }

  bool at_root() {
    inside_ = true;
    at_.clear();
    return open(AT_FDCWD, "/");
  }

  bool open(int directory, const char* name) {
    here_ = Fd(::openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
    return static_cast<bool>(here_);
  }

  bool step(const std::string& name, std::string& ahead) {
    if (name == ".") return true;
    if (name == "..") return up();
    Fd object(::openat(here_.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    struct stat status{};
    struct statfs system{};
    if (!object || ::fstat(object.get(), &status) != 0) return false;
    // Its links are no text, and mean something else to every process.
    if (::fstatfs(object.get(), &system) != 0 || system.f_type == PROC_SUPER_MAGIC) return false;
    const std::string path = at_ + "/" + name;
    if (S_ISLNK(status.st_mode)) {
      const auto text = read_link(object);
      if (!text || ++links_ > kMaxLinks) return false;
      note({RootEntry::Kind::kLink, path, *text});
      ahead.insert(0, *text + "/");
      return !text->starts_with('/') || at_root();
    }
    if (S_ISDIR(status.st_mode)) {
      note({RootEntry::Kind::kFolder, path, {}});
      at_ = path;
      here_ = std::move(object);
      return true;
    }
    note({RootEntry::Kind::kFile, path, {}, status.st_dev, status.st_ino});
    // The "/" that a link's text was given.
    return ahead.find_first_not_of('/') == std::string::npos;
  }

  bool up() {
    if (!inside_) return open(here_.get(), "..");
    at_.erase(std::min(at_.rfind('/'), at_.size()));
    return open(AT_FDCWD, at_.empty() ? "/" : at_.c_str());
  }

  void note(RootEntry entry) {
    if (!inside_) return;
    std::string path = entry.path;
    entries_.emplace(std::move(path), std::move(entry));
  }

  static std::optional<std::string> read_link(const Fd& link) {
    std::array<char, PATH_MAX> text;
    const ssize_t size = ::readlinkat(link.get(), "", text.data(), text.size());
    if (size <= 0 || static_cast<std::size_t>(size) == text.size()) return std::nullopt;
    return std::string(text.data(), static_cast<std::size_t>(size));
  }

  std::map<std::string, RootEntry> entries_;
  Fd here_;             // where the walk stands
  std::string at_;      // the same from the root on, if it is inside
  bool inside_ = true;  // where the program's root is
  int links_ = 0;
};

// Memory that a file takes beside what it holds is bounded by their number.
constexpr std::uint64_t kBytesAFile = 4096;
constexpr std::uint64_t kFewestFiles = 64;

bool is_beneath(std::string_view path, const std::string& folder) {
  return path == folder || path.starts_with(folder + "/");
}

// The program is not there any more once the folder is.
Result<void> check_program(const Program& program, const std::string& folder) {
  for (const ProgramFile& file : program.chain) {
    if (!is_beneath(file.real_path, folder) && !is_beneath(file.path, folder)) continue;
    return std::unexpected(Error{"'" + escape(file.path) + "' lies in " + escape(folder) +
                                 ", which the policy makes a temporary folder of the program's "
                                 "own; put the program elsewhere"});
  }
  return {};
}

Result<RootTemporary> plan_temporary(const policy::Temporary& wanted) {
  const Fd folder(::open(wanted.path().c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!folder) {
    return std::unexpected(system_error(
        "cannot make a temporary folder at " + escape(wanted.path()) + ", which must be one",
        errno));
  }
  const auto size = policy::parse_size(wanted.size());
  if (!size) return std::unexpected(Error{"temporary: " + size.error()});
  const std::uint64_t files = std::max(*size / kBytesAFile, kFewestFiles);
  return RootTemporary{wanted.path(), std::to_string(*size), std::to_string(files)};
}

bool foresee(const Program& program, RootPlan& plan) {
  if (::faccessat(plan.cwd.get(), "", X_OK, AT_EMPTY_PATH | AT_EACCESS) != 0) return false;
  Walk walk;
  for (const ProgramFile& file : program.chain) {
    if (!walk.add(file.path)) return false;
  }
  for (const RootTemporary& folder : plan.temporaries) {
    if (!walk.add(folder.path)) return false;
  }
  plan.entries = walk.entries();
  return true;
}

}  // namespace

Result<RootPlan> plan_root(const policy::Policy& policy, const Program& program) {
  RootPlan plan;
  // Not ".": a directory that may not be searched, or was removed, is one too.
  plan.cwd = Fd(::open("/proc/thread-self/cwd", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!plan.cwd) {
    return std::unexpected(
        system_error("cannot open the working directory (mount /proc for the broker)", errno));
  }
  for (const policy::Temporary& wanted : policy.merged().temporary()) {
    if (auto checked = check_program(program, wanted.path()); !checked) {
      return std::unexpected(checked.error());
    }
    auto planned = plan_temporary(wanted);
    if (!planned) return std::unexpected(planned.error());
    plan.temporaries.push_back(std::move(*planned));
  }
  if (plan.temporaries.size() > kMaxTemporaries) {
    return std::unexpected(Error{"the policy has too many temporary folders"});
  }
  plan.keeps_tree = filter::allows_execution(policy) || !foresee(program, plan);
  return plan;
}

}  // namespace torno::launch
