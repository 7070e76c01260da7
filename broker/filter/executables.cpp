#include "broker/filter/executables.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "broker/base/fd.h"
#include "broker/filter/landlock.h"
#include "broker/policy/glob.h"
#include "broker/policy/path_pattern.h"

namespace torno::filter {
namespace {

using policy::Component;
using policy::PathPattern;

// Each place is a rule in the kernel's memory, for every program that is started.
constexpr std::size_t kMaxPlaces = 4096;
// Directories in which one policy's globs are looked for: "/*/*/*" would list a whole disk.
constexpr std::size_t kMaxListed = 4096;

bool allows_execution(const policy::FileRule& rule) {
  return std::ranges::find(rule.allow(), static_cast<int>(policy::EXECUTE)) != rule.allow().end();
}

// No symlink is followed: the loader has, and one that stands there now leads elsewhere than the
// policy meant. An Fd that holds nothing: the path leads to nothing that could be executed.
Result<Fd> open_path(const std::string& path, std::uint64_t flags) {
  open_how how{};
  how.flags = flags | O_CLOEXEC;
  how.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  Fd fd(static_cast<int>(::syscall(SYS_openat2, AT_FDCWD, path.c_str(), &how, sizeof how)));
  if (fd) return fd;
  constexpr int kNothingThere[] = {ENOENT, ENOTDIR, ELOOP, EACCES, ENAMETOOLONG};
  if (std::ranges::find(kNothingThere, errno) != std::end(kNothingThere)) return Fd();
  return std::unexpected(system_error("cannot look at " + escape(path), errno));
}

// The place at the path, if it is still one of this kind.
Result<Fd> open_place(const ExecutablePlace& place) {
  Result<Fd> fd = open_path(place.path, O_PATH);
  if (!fd || !*fd) return fd;
  struct stat status{};
  if (::fstat(fd->get(), &status) != 0) {
    return std::unexpected(system_error("cannot look at " + escape(place.path), errno));
  }
  if (place.tree ? S_ISDIR(status.st_mode) : S_ISREG(status.st_mode)) return fd;
  return Fd();
}

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

// In order, so that the places do not depend on the file system's.
Result<std::vector<std::string>> names_in(const std::string& path, std::string_view glob) {
  std::vector<std::string> names;
  Result<Fd> fd = open_path(path, O_RDONLY | O_DIRECTORY);
  if (!fd) return std::unexpected(fd.error());
  if (!*fd) return names;
  const std::unique_ptr<DIR, CloseDirectory> directory(::fdopendir(fd->get()));
  if (!directory) return std::unexpected(system_error("cannot list " + escape(path), errno));
  fd->release();
  errno = 0;
  while (const dirent* entry = ::readdir(directory.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != ".." && policy::glob_match(glob, name)) names.emplace_back(name);
    errno = 0;
  }
  if (errno != 0) return std::unexpected(system_error("cannot list " + escape(path), errno));
  std::ranges::sort(names);
  return names;
}

class Finder {
 public:
  explicit Finder(const policy::Policy& policy) : policy_(policy) {}

  // Adds what one rule's pattern allows.
  Result<void> add(PathPattern pattern) {
    const auto any_depth =
        std::ranges::find(pattern.components, Component::Kind::kAnyDepth, &Component::kind);
    tree_ = any_depth != pattern.components.end();
    if (tree_) {
      if (any_depth + 1 != pattern.components.end()) {
        return std::unexpected(Error{"EXECUTE of '" + escape(pattern.text()) +
                                     "' cannot be held by Landlock; name the folder with /** or "
                                     "the files"});
      }
      pattern.components.pop_back();
    }
    return find("", pattern.components);
  }

  // No rule after this adds a place.
  bool full() const { return places_.size() == kMaxPlaces || listed_ > kMaxListed; }

  std::vector<ExecutablePlace> take() { return std::move(places_); }

 private:
  // `at` leads to where `rest` is looked for; "" is the root.
  Result<void> find(std::string at, std::span<const Component> rest) {
    while (!rest.empty() && rest.front().kind == Component::Kind::kLiteral) {
      at += '/' + rest.front().text;
      rest = rest.subspan(1);
    }
    if (rest.empty()) return take_place(at.empty() ? "/" : at);
    if (++listed_ > kMaxListed) {
      return std::unexpected(Error{"EXECUTE rules with wildcards lead into more than " +
                                   std::to_string(kMaxListed) +
                                   " folders; name the folder with /**"});
    }
    const auto names = names_in(at.empty() ? "/" : at, rest.front().text);
    if (!names) return std::unexpected(names.error());
    for (const std::string& name : *names) {
      if (const auto found = find(at + '/' + name, rest.subspan(1)); !found) return found;
    }
    return {};
  }

  Result<void> take_place(const std::string& path) {
    // "/a/**" matches /a itself too, be it a file.
    for (const bool tree : {true, false}) {
      if (tree && !tree_) continue;
      const ExecutablePlace place{path, tree};
      const Result<Fd> fd = open_place(place);
      if (!fd) return std::unexpected(fd.error());
      if (!*fd || !policy_.decide_file(path, policy::kExecute).allowed) continue;
      if (places_.size() == kMaxPlaces) {
        return std::unexpected(Error{"EXECUTE rules name more than " + std::to_string(kMaxPlaces) +
                                     " files; name the folder with /**"});
      }
      places_.push_back(place);
    }
    return {};
  }

  const policy::Policy& policy_;
  std::vector<ExecutablePlace> places_;
  std::size_t listed_ = 0;
  bool tree_ = false;
};

}  // namespace

bool allows_execution(const policy::Policy& policy) {
  return std::ranges::any_of(policy.merged().file(),
                             [](const policy::FileRule& rule) { return allows_execution(rule); });
}

Executables executables(const policy::Policy& policy) {
  Executables out;
  Finder finder(policy);
  for (int i = 0; i < policy.merged().file_size(); ++i) {
    const policy::FileRule& rule = policy.merged().file(i);
    if (!allows_execution(rule)) continue;
    auto pattern = PathPattern::parse(rule.path());
    const Result<void> added =
        pattern ? finder.add(std::move(*pattern)) : std::unexpected(Error{pattern.error()});
    if (added) continue;
    out.errors.push_back(
        {policy::Diagnostic::Severity::kError, policy.file_place(i), added.error().message});
    if (finder.full()) break;  // one complaint, not one for each rule
  }
  out.places = finder.take();
  return out;
}

Result<void> allow_executables(int ruleset, std::span<const ExecutablePlace> places) {
  for (const ExecutablePlace& place : places) {
    const Result<Fd> fd = open_place(place);
    if (!fd) return std::unexpected(fd.error());
    if (!*fd) continue;
    if (auto allowed = allow_execution(ruleset, fd->get()); !allowed) return allowed;
  }
  return {};
}

}  // namespace torno::filter
