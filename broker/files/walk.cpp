#include "broker/files/walk.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>

#include "broker/files/deny.h"
#include "broker/files/procfs.h"
#include "broker/files/sticky.h"
#include "broker/files/vet.h"

namespace torno::files {

namespace {

constexpr int kMaxLinks = 40;  // as the kernel

// Links of 4095 bytes, forty of them, make 80,000 components of one open each. No honest path has
// more than a path's worth; and an io thread is not held for more than some, each of which takes a
// decision of every policy in force.
constexpr int kMaxSteps = PATH_MAX;
constexpr std::size_t kMaxDecisionsOnIoThread = 32;

class Walk {
 public:
  Walk(const Task& task, const Aim& aim, Target& target, Outcome& outcome)
      : task_(task), aim_(aim), target_(target), path_(target.path), outcome_(outcome) {}

  bool run(const Start& start);

 private:
  bool go(std::string text, std::uint64_t rules);
  bool is_long() const;
  bool step(std::string_view name);
  bool up();
  bool into(std::string_view name, bool last);
  bool follow_text(Fd link, const struct statx& stat, bool last);
  bool follow_own(procfs::Link link);
  bool continue_at(std::string_view text);
  bool find(procfs::KernelPlace& place) const {
    return place.find(path_, task_.place, task_.broker.mounts);
  }
  int here();  // the directory at path_, pinned; -1: failed
  bool visible(bool last);
  bool fail(int error);
  bool refuse(std::string_view behind);
  bool wait();

  const Task& task_;
  const Aim& aim_;
  Target& target_;
  CanonicalPath& path_;  // where the walk stands
  Outcome& outcome_;

  std::string ahead_;        // what is still to be walked
  std::uint64_t rules_ = 0;  // RESOLVE_* in force
  std::size_t floor_ = 1;    // size of the path that a scoped walk stays beneath
  Fd here_;                  // the directory at path_, or at its parent while a name is looked at
  int links_ = 0;
  int steps_ = 0;
};

bool Walk::run(const Start& start) {
  path_.clear();
  if (!is_scoped(aim_.resolve)) {
    return go(std::string(start.base()) + "/" + std::string(start.path()), aim_.resolve);
  }
  if (!go(std::string(start.base()) + "/", 0)) return false;
  if (target_.missing) return fail(ENOENT);
  floor_ = path_.view().size();
  return go(std::string(start.path()), aim_.resolve);
}

bool Walk::go(std::string text, std::uint64_t rules) {
  ahead_ = std::move(text);
  rules_ = rules;
  target_.directory = true;
  target_.missing = false;
  while (true) {
    const Components next = split_first(ahead_);
    if (next.name.empty()) return true;
    if (++steps_ > kMaxSteps) return fail(ELOOP);
    if (task_.wait == Wait::kNever && is_long()) return wait();
    const std::string name(next.name);
    ahead_ = next.rest;
    if (!step(name)) return false;
  }
}

bool Walk::is_long() const {
  return static_cast<std::size_t>(steps_) * task_.policy.policies().size() >
         kMaxDecisionsOnIoThread;
}

bool Walk::step(std::string_view name) {
  target_.directory = true;
  if (name == ".") return true;
  if (name == "..") return up();
  const bool last = split_first(ahead_).name.empty();
  target_.directory = !ahead_.empty();
  return into(name, last);
}

bool Walk::up() {
  if (path_.view().size() == floor_) {
    return (rules_ & RESOLVE_BENEATH) == 0 || fail(EXDEV);
  }
  path_.pop();
  here_.reset();
  return true;
}

bool Walk::into(std::string_view name, bool last) {
  if (path_.view() == procfs::kRoot) {
    const auto entry = procfs::entry(name, task_.place.client);
    if (!entry) {
      if (!path_.push(name)) return fail(ENAMETOOLONG);
      return refuse(ahead_);
    }
    name = *entry;
  }
  const int directory = here();
  if (directory < 0) return false;
  if (!path_.push(name)) return fail(ENAMETOOLONG);
  if (!visible(last)) return refuse(ahead_);

  const bool follow = !last || aim_.follow || target_.directory;
  const procfs::Link own = procfs::link(path_.view());
  if (own != procfs::Link::kNone && follow) return follow_own(own);

  // "/proc/self" is a directory here, under the client's number; and some folders are its own.
  procfs::KernelPlace own_place;
  const bool is_own = path_.view() == procfs::kSelf || path_.view() == procfs::kRoot ||
                      task_.broker.mounts.is_mount(path_.view());
  if (is_own && !find(own_place)) return refuse(ahead_);
  auto object = openat2(is_own ? own_place.directory() : directory,
                        is_own ? own_place.path() : std::string(name).c_str(), O_PATH | O_NOFOLLOW,
                        0, kNoLinks | task_.cached());
  if (!object) {
    if (object.error() == EAGAIN && task_.wait == Wait::kNever) return wait();
    target_.missing = object.error() == ENOENT && last;
    return target_.missing || fail(object.error());
  }
  struct statx stat{};
  if (const int error = identify(object->get(), stat); error != 0) return fail(error);
  switch (stat.stx_mode & S_IFMT) {
    case S_IFLNK:
      return !follow || follow_text(std::move(*object), stat, last);
    case S_IFDIR:
      here_ = std::move(*object);
      return true;
    default:
      return last || fail(ENOTDIR);
  }
}

bool Walk::follow_text(Fd link, const struct statx& stat, bool last) {
  if ((rules_ & RESOLVE_NO_SYMLINKS) != 0) return fail(ELOOP);
  if (!task_.may_wait_for(stat)) return wait();
  path_.pop();
  const int directory = here();
  if (directory < 0) return false;
  if (last && !may_follow_link(task_, directory, stat)) return fail(EACCES);
  std::array<char, PATH_MAX> text;
  const ssize_t size = ::readlinkat(link.get(), "", text.data(), text.size());
  if (size < 0) return fail(errno);
  if (size == 0) return fail(ENOENT);
  if (static_cast<std::size_t>(size) == text.size()) return fail(ENAMETOOLONG);
  return continue_at({text.data(), static_cast<std::size_t>(size)});
}

// The client's cwd, exe and root. The kernel would lead the broker straight to the object; the
// broker reads the text and takes the way that anybody takes.
bool Walk::follow_own(procfs::Link link) {
  if ((rules_ & (RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS)) != 0) return fail(ELOOP);
  if (is_scoped(rules_)) return fail(EXDEV);
  if (link == procfs::Link::kNever) return refuse(ahead_);
  if (task_.wait == Wait::kNever) return wait();
  procfs::KernelPlace opened;
  if (!find(opened)) return refuse(ahead_);
  std::array<char, PATH_MAX> text;
  const ssize_t size = ::readlinkat(opened.directory(), opened.path(), text.data(), text.size());
  if (size <= 0 || static_cast<std::size_t>(size) == text.size()) return refuse(ahead_);
  const std::string_view target(text.data(), static_cast<std::size_t>(size));
  // A changed root would give every later path another meaning.
  const bool usable = link == procfs::Link::kRootDirectory ? target == "/" : target[0] == '/';
  if (!usable) return refuse(ahead_);
  path_.pop();
  return continue_at(target);
}

bool Walk::continue_at(std::string_view text) {
  if (++links_ > kMaxLinks) return fail(ELOOP);
  ahead_.insert(0, text);
  if (text.front() != '/') return true;
  if ((rules_ & RESOLVE_BENEATH) != 0) return fail(EXDEV);
  while (path_.view().size() > floor_) path_.pop();
  here_.reset();
  return true;
}

int Walk::here() {
  if (path_.is_root()) return task_.broker.mounts.root();
  if (here_) return here_.get();
  procfs::KernelPlace opened;
  if (!find(opened)) {
    refuse(ahead_);
    return -1;
  }
  auto directory = openat2(opened.directory(), opened.path(), O_PATH | O_DIRECTORY, 0,
                           kNoLinks | task_.cached());
  if (!directory) {
    if (directory.error() == EAGAIN && task_.wait == Wait::kNever) {
      wait();
    } else {
      fail(directory.error());
    }
    return -1;
  }
  here_ = std::move(*directory);
  return here_.get();
}

// A place that may not be looked at is refused before it is looked at.
bool Walk::visible(bool last) {
  if (is_visible(task_, path_.view())) return true;
  if (!last || is_off_limits(task_, path_.view(), aim_.wanted)) return false;
  return aim_.wanted == policy::kNone || verdict_on(task_, aim_, path_, aim_.wanted).allowed;
}

bool Walk::fail(int error) {
  outcome_ = failed(error);
  return false;
}

bool Walk::wait() {
  outcome_ = wait_needed();
  return false;
}

bool Walk::refuse(std::string_view behind) {
  const policy::Verdict verdict = verdict_on(task_, aim_, path_, aim_.wanted);
  CanonicalPath whole = path_;
  if (whole.append(behind) == CanonicalPath::Append::kDone) {
    deny(outcome_, whole.view(), aim_.wanted, verdict.rule);
  } else {
    deny(outcome_, std::string(path_.view()).append(behind), aim_.wanted, verdict.rule);
  }
  return false;
}

}  // namespace

bool walk(const Task& task, const Aim& aim, const Start& start, Target& target, Outcome& outcome) {
  return Walk(task, aim, target, outcome).run(start);
}

}  // namespace torno::files
