#include "broker/launch/cgroup_place.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <sstream>
#include <string_view>

#include "broker/base/fd.h"

namespace torno::launch {
namespace {

// This process's cgroup in one hierarchy.
struct Own {
  CgroupVersion version = CgroupVersion::kV2;
  std::string path;  // from the hierarchy's root, as the cgroup namespace shows it
};

bool names(std::string_view list, std::string_view name, char separator) {
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(separator), list.size());
    if (list.substr(0, end) == name) return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

// A controller that no v1 hierarchy has is v2's.
std::optional<Own> own_cgroup(const std::string& controller) {
  std::ifstream file("/proc/self/cgroup");  // "NUMBER:CONTROLLERS:PATH"
  std::optional<Own> unified;
  for (std::string line; std::getline(file, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string path = line.substr(second + 1);
    if (names(controllers, controller, ',')) return Own{CgroupVersion::kV1, path};
    if (controllers.empty()) unified = Own{CgroupVersion::kV2, path};
  }
  return unified;
}

bool is_cgroupfs(const std::string& folder, CgroupVersion version) {
  struct statfs status{};
  if (::statfs(folder.c_str(), &status) != 0) return false;
  return status.f_type ==
         (version == CgroupVersion::kV2 ? CGROUP2_SUPER_MAGIC : CGROUP_SUPER_MAGIC);
}

// Where a hierarchy is mounted, and which of its folders that shows.
struct Mount {
  std::string point;
  std::string root;
};

// What `path` is from `root` on: "/a/b" from "/a" is "/b". Nothing when it lies elsewhere.
std::optional<std::string> from_root(const std::string& path, const std::string& root) {
  if (names(path, "..", '/')) return std::nullopt;  // outside this cgroup namespace
  const std::string clean = path == "/" ? "" : path;
  if (root == "/") return clean;
  if (!clean.starts_with(root)) return std::nullopt;
  const std::string rest = clean.substr(root.size());
  return rest.empty() || rest.front() == '/' ? std::optional(rest) : std::nullopt;
}

std::optional<Mount> find_mount(const Own& own, const std::string& controller) {
  std::ifstream file("/proc/self/mountinfo");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string skipped;
    std::string type;
    std::string options;
    Mount mount;
    words >> skipped >> skipped >> skipped >> mount.root >> mount.point;
    while (words >> skipped && skipped != "-") {
    }
    words >> type >> skipped >> options;
    const bool right = own.version == CgroupVersion::kV2
                           ? type == "cgroup2"
                           : type == "cgroup" && names(options, controller, ',');
    if (right && from_root(own.path, mount.root) && is_cgroupfs(mount.point, own.version)) {
      return mount;
    }
  }
  return std::nullopt;
}

// May a cgroup be made in here, and be given a process of one beneath? For root nearly always; for
// a user where the folder was delegated.
bool may_use(const std::string& folder) {
  return ::access(folder.c_str(), W_OK | X_OK) == 0 &&
         ::access((folder + "/cgroup.procs").c_str(), W_OK) == 0;
}

bool file_names(const std::string& path, const std::string& word) {
  std::ifstream file(path);
  for (std::string each; file >> each;) {
    if (each == word) return true;
  }
  return false;
}

bool enable_for_children(const std::string& folder, const std::string& controller) {
  if (!file_names(folder + "/cgroup.controllers", controller)) return false;
  const Fd file(::open((folder + "/cgroup.subtree_control").c_str(), O_WRONLY | O_CLOEXEC));
  const std::string word = "+" + controller;
  return file && ::write(file.get(), word.data(), word.size()) == static_cast<ssize_t>(word.size());
}

bool children_have(const std::string& folder, const std::vector<Controller>& controllers,
                   bool enable) {
  return std::ranges::all_of(controllers, [&](Controller each) {
    return file_names(folder + "/cgroup.subtree_control", name_of(each)) ||
           (enable && enable_for_children(folder, name_of(each)));
  });
}

// The nearest folder of v2; in `why`, why there is none.
std::optional<std::string> find_unified(const Mount& mount, std::string below,
                                        const std::vector<Controller>& controllers, bool enable,
                                        std::string& why) {
  bool writable = false;
  for (;;) {
    const std::string folder = mount.point + below;
    if (may_use(folder)) {
      writable = true;
      if (children_have(folder, controllers, enable)) return folder;
    }
    if (below.empty()) break;
    below.erase(below.rfind('/'));
  }
  why = writable ? "it is not switched on for the children of a folder that this user may write"
                 : "no folder is delegated to this user (systemd-run --user --scope starts a "
                   "program where one is)";
  return std::nullopt;
}

void not_found(CgroupPlaces& places, Controller controller, const std::string& why) {
  places.missing = "no cgroup for " + std::string(name_of(controller)) + ": " + why;
}

}  // namespace

const char* name_of(Controller controller) {
  switch (controller) {
    case Controller::kMemory:
      return "memory";
    case Controller::kProcesses:
      return "pids";
    case Controller::kCpu:
      return "cpu";
  }
  return "";
}

CgroupPlaces find_cgroup_places(const std::vector<Controller>& controllers, bool enable) {
  CgroupPlaces places;
  CgroupPlace unified;
  std::optional<Mount> unified_mount;
  std::string unified_below;
  for (const Controller controller : controllers) {
    const auto own = own_cgroup(name_of(controller));
    const auto mount = own ? find_mount(*own, name_of(controller)) : std::nullopt;
    if (!mount) {
      not_found(places, controller, "its hierarchy is not mounted where this process can use it");
      continue;
    }
    const std::string below = *from_root(own->path, mount->root);
    if (own->version == CgroupVersion::kV2) {
      unified_mount = mount;
      unified_below = below;
      unified.controllers.push_back(controller);
    } else if (const std::string folder = mount->point + below; may_use(folder)) {
      places.found.push_back({own->version, folder, {controller}});
    } else {
      not_found(places, controller, "this user may not write " + folder);
    }
  }
  if (!unified_mount) return places;
  std::string why;
  auto folder = find_unified(*unified_mount, unified_below, unified.controllers, false, why);
  if (!folder && enable) {
    folder = find_unified(*unified_mount, unified_below, unified.controllers, true, why);
  }
  if (folder) {
    unified.folder = *folder;
    places.found.push_back(unified);
  } else {
    not_found(places, unified.controllers.front(), why);
  }
  return places;
}

}  // namespace torno::launch
