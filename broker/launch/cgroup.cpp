#include "broker/launch/cgroup.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "broker/launch/cgroup_folder.h"

namespace torno::launch {
namespace {

constexpr std::uint64_t kPeriod = 100'000;  // microseconds: the kernel's default

// One file of a limit.
struct Setting {
  Controller controller;
  CgroupVersion version;
  const char* file;
  std::string value;
  bool optional;  // where the kernel counts no swap these are not there
};

std::vector<Setting> settings(const CgroupLimits& limits) {
  const std::string memory = std::to_string(limits.memory);
  const std::string processes = std::to_string(limits.processes);
  const std::string quota = std::to_string(limits.cpus * kPeriod / 100);
  using enum Controller;
  using enum CgroupVersion;
  return {
      {kMemory, kV2, "memory.max", memory, false},
      {kMemory, kV2, "memory.swap.max", "0", true},
      {kMemory, kV2, "memory.oom.group", "1", true},  // Linux 4.19
      {kMemory, kV1, "memory.limit_in_bytes", memory, false},
      {kMemory, kV1, "memory.memsw.limit_in_bytes", memory, true},
      {kProcesses, kV2, "pids.max", processes, false},
      {kProcesses, kV1, "pids.max", processes, false},
      {kCpu, kV2, "cpu.max", quota + " " + std::to_string(kPeriod), false},
      {kCpu, kV1, "cpu.cfs_period_us", std::to_string(kPeriod), false},
      {kCpu, kV1, "cpu.cfs_quota_us", quota, false},
  };
}

std::vector<Controller> wanted(const CgroupLimits& limits) {
  std::vector<Controller> controllers;
  if (limits.memory != 0) controllers.push_back(Controller::kMemory);
  if (limits.processes != 0) controllers.push_back(Controller::kProcesses);
  if (limits.cpus != 0) controllers.push_back(Controller::kCpu);
  return controllers;
}

bool has(const CgroupPlace& place, Controller controller) {
  return std::ranges::find(place.controllers, controller) != place.controllers.end();
}

Result<void> set(const Fd& folder, const CgroupPlace& place, const CgroupLimits& limits) {
  for (const Setting& each : settings(limits)) {
    if (each.version != place.version || !has(place, each.controller)) continue;
    if (write_value(folder, each.file, each.value)) continue;
    const bool is_absent = errno == ENOENT || errno == EOPNOTSUPP;
    if (each.optional && is_absent) continue;
    return std::unexpected(
        system_error("cannot write " + each.value + " to " + each.file + " of a cgroup", errno));
  }
  return {};
}

}  // namespace

Cgroup::~Cgroup() {
  end();
}

Result<Cgroup::Folder> Cgroup::make_folder(const CgroupPlace& place, const CgroupLimits& limits) {
  remove_stale_cgroups(place.folder, place.version);
  Folder folder{place, cgroup_name(), {}};
  const std::string path = place.folder + "/" + folder.name;
  if (::mkdir(path.c_str(), 0755) != 0) {
    return std::unexpected(system_error("cannot make a cgroup in " + place.folder, errno));
  }
  folder.fd = open_locked(path);
  auto done = folder.fd ? set(folder.fd, place, limits)
                        : std::unexpected(system_error("cannot lock a cgroup", errno));
  if (done) return folder;
  ::rmdir(path.c_str());
  return std::unexpected(done.error());
}

Cgroup Cgroup::make(const CgroupLimits& limits) {
  Cgroup cgroup;
  CgroupPlaces places = find_cgroup_places(wanted(limits), true);
  cgroup.missing_ = std::move(places.missing);
  for (const CgroupPlace& place : places.found) {
    auto folder = make_folder(place, limits);
    if (folder) {
      cgroup.folders_.push_back(std::move(*folder));
    } else {
      cgroup.missing_ = folder.error().message;
    }
  }
  return cgroup;
}

std::optional<CgroupVersion> Cgroup::version(Controller controller) const {
  for (const Folder& folder : folders_) {
    if (has(folder.place, controller)) return folder.place.version;
  }
  return std::nullopt;
}

Result<void> Cgroup::add(pid_t process) const {
  for (const Folder& folder : folders_) {
    if (write_value(folder.fd, "cgroup.procs", std::to_string(process))) continue;
    return std::unexpected(
        system_error("cannot put the program into its cgroup in " + folder.place.folder, errno));
  }
  return {};
}

bool Cgroup::ran_out_of_memory() const {
  for (const Folder& folder : folders_) {
    if (!has(folder.place, Controller::kMemory)) continue;
    const bool unified = folder.place.version == CgroupVersion::kV2;
    const char* const file = unified ? "memory.events" : "memory.oom_control";
    return read_count(folder.fd, file, "oom_kill") > 0;
  }
  return false;
}

void Cgroup::end() {
  for (const Folder& folder : folders_) {
    end_cgroup(folder.fd, folder.place.folder + "/" + folder.name, folder.place.version);
  }
  folders_.clear();
}

}  // namespace torno::launch
