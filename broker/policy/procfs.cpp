#include "broker/policy/procfs.h"

#include <algorithm>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace torno::policy::procfs {
namespace {

struct Entry {
  std::string_view name;
  Permissions permitted;  // beside kStat
  bool tree = false;      // and everything beneath
};

// Beneath /proc: what says nothing of another process.
constexpr Entry kGlobal[] = {
    {"", kStat},
    {"cgroups", kRead},
    {"cpuinfo", kRead},
    {"devices", kRead},
    {"filesystems", kRead},
    {"loadavg", kRead},
    {"meminfo", kRead},
    {"mounts", kStat},  // a symlink to self/mounts
    {"net", kStat},     // a symlink to self/net
    {"partitions", kRead},
    {"pressure", kRead},
    {"pressure/cpu", kRead},
    {"pressure/io", kRead},
    {"pressure/irq", kRead},
    {"pressure/memory", kRead},
    {"stat", kRead},
    {"swaps", kRead},
    {"sys/crypto/fips_enabled", kRead},
    {"sys/fs/file-max", kRead},
    {"sys/fs/file-nr", kRead},
    {"sys/fs/inotify", kRead, true},
    {"sys/fs/nr_open", kRead},
    {"sys/fs/pipe-max-size", kRead},
    {"sys/kernel/cap_last_cap", kRead},
    {"sys/kernel/domainname", kRead},
    {"sys/kernel/hostname", kRead},
    {"sys/kernel/io_uring_disabled", kRead},
    {"sys/kernel/ngroups_max", kRead},
    {"sys/kernel/osrelease", kRead},
    {"sys/kernel/ostype", kRead},
    {"sys/kernel/overflowgid", kRead},
    {"sys/kernel/overflowuid", kRead},
    {"sys/kernel/perf_event_paranoid", kRead},
    {"sys/kernel/pid_max", kRead},
    {"sys/kernel/random/boot_id", kRead},
    {"sys/kernel/random/entropy_avail", kRead},
    {"sys/kernel/random/poolsize", kRead},
    {"sys/kernel/random/uuid", kRead},
    {"sys/kernel/randomize_va_space", kRead},
    {"sys/kernel/seccomp", kRead, true},
    {"sys/kernel/sem", kRead},
    {"sys/kernel/shmall", kRead},
    {"sys/kernel/shmmax", kRead},
    {"sys/kernel/shmmni", kRead},
    {"sys/kernel/threads-max", kRead},
    {"sys/kernel/unprivileged_userns_clone", kRead},
    {"sys/kernel/version", kRead},
    {"sys/kernel/yama/ptrace_scope", kRead},
    {"sys/net/core/somaxconn", kRead},
    {"sys/net/ipv4/ip_local_port_range", kRead},
    {"sys/net/ipv6/conf/all/disable_ipv6", kRead},
    {"sys/user", kRead, true},
    {"sys/vm/max_map_count", kRead},
    {"sys/vm/mmap_min_addr", kRead},
    {"sys/vm/overcommit_memory", kRead},
    {"sys/vm/overcommit_ratio", kRead},
    {"sys/vm/swappiness", kRead},
    {"uptime", kRead},
    {"version", kRead},
    {"vmstat", kRead},
    {"zoneinfo", kRead},
};

// Beneath /proc/self and /proc/self/task/TID. Not here: mem (it writes to read-only mappings),
// pagemap, stack, syscall (kernel addresses for root), uid_map and its like for writing (the
// kernel asks for the rights of whoever opened it).
constexpr Entry kOwn[] = {
    {"", kRead},
    {"attr/current", kRead},
    {"auxv", kRead},
    {"cgroup", kRead},
    {"cmdline", kRead},
    {"comm", kRead | kWrite},
    {"coredump_filter", kRead | kWrite},
    {"cwd", kStat},
    {"environ", kRead},
    {"exe", kStat},
    {"fd", kRead, true},
    {"fdinfo", kRead, true},
    {"gid_map", kRead},
    {"io", kRead},
    {"limits", kRead},
    {"loginuid", kRead},
    {"maps", kRead},
    {"mountinfo", kRead},
    {"mounts", kRead},
    {"mountstats", kRead},
    {"net", kRead, true},
    {"ns", kRead, true},
    {"numa_maps", kRead},
    {"oom_score", kRead},
    {"oom_score_adj", kRead | kWrite},
    {"personality", kRead},
    {"root", kStat},
    {"sched", kRead},
    {"schedstat", kRead},
    {"sessionid", kRead},
    {"setgroups", kRead},
    {"smaps", kRead},
    {"smaps_rollup", kRead},
    {"stat", kRead},
    {"statm", kRead},
    {"status", kRead},
    {"task", kRead},
    {"timers", kRead},
    {"timerslack_ns", kRead},
    {"uid_map", kRead},
    {"wchan", kRead},
};

bool is_at_or_beneath(std::string_view path, std::string_view directory) {
  return path.starts_with(directory) &&
         (path.size() == directory.size() || path[directory.size()] == '/');
}

// Of the path beneath `directory`, "" for the directory itself.
std::string_view beneath(std::string_view path, std::string_view directory) {
  const std::string_view rest = path.substr(directory.size());
  return rest.empty() ? rest : rest.substr(1);
}

bool permits_in(std::span<const Entry> table, std::string_view name, Permissions wanted) {
  return std::ranges::any_of(table, [name, wanted](const Entry& entry) {
    const bool at = name == entry.name || (entry.tree && is_at_or_beneath(name, entry.name));
    if (at) return (wanted & ~(entry.permitted | kStat)) == 0;
    // The directories on the way to an entry.
    return wanted == kStat && entry.name.starts_with(name) && entry.name[name.size()] == '/';
  });
}

struct Place {
  PathPattern pattern;
  Permissions permitted;
};

// Every place of the tables, and the directories on the way, as patterns.
std::vector<Place> all_places() {
  std::vector<Place> places;
  const auto add = [&places](const std::string& path, Permissions permitted) {
    if (auto pattern = PathPattern::parse(path)) places.push_back({std::move(*pattern), permitted});
  };
  const auto add_table = [&add](const std::string& root, std::span<const Entry> table) {
    for (const Entry& entry : table) {
      const std::string name(entry.name);
      const auto permitted = static_cast<Permissions>(entry.permitted | kStat);
      std::string path = root;
      if (!name.empty()) path.append("/").append(name).append(entry.tree ? "/**" : "");
      add(path, permitted);
      for (std::size_t at = name.find('/'); at != std::string::npos; at = name.find('/', at + 1)) {
        add(root + "/" + name.substr(0, at), kStat);
      }
    }
  };
  add_table(std::string(kRoot), kGlobal);
  add_table(std::string(kSelf), kOwn);
  add_table("/proc/self/task/*", kOwn);
  return places;
}

}  // namespace

bool covers(std::string_view path) {
  return is_at_or_beneath(path, kRoot);
}

bool is_number(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

std::optional<std::string_view> own_part(std::string_view path) {
  if (!is_at_or_beneath(path, kSelf)) return std::nullopt;
  const std::string_view part = beneath(path, kSelf);
  constexpr std::string_view kTask = "task/";
  if (!part.starts_with(kTask)) return part;
  const std::string_view behind = part.substr(kTask.size());
  const std::string_view thread = behind.substr(0, behind.find('/'));
  return is_number(thread) ? beneath(behind, thread) : part;
}

bool permits(std::string_view path, Permissions wanted) {
  if (wanted == kNone) wanted = kStat;
  if (const auto part = own_part(path)) return permits_in(kOwn, *part, wanted);
  return permits_in(kGlobal, beneath(path, kRoot), wanted);
}

bool is_beneath(const PathPattern& pattern) {
  return pattern.literal_components() > 0 && covers(pattern.literal_prefix());
}

Permissions possible(const PathPattern& pattern) {
  if (pattern.is_literal()) {
    const std::string path = pattern.literal_prefix();
    Permissions all = kNone;
    for (const Permissions each : {kRead, kWrite, kCreate, kExecute, kStat}) {
      if (permits(path, each)) all |= each;
    }
    return all;
  }
  static const std::vector<Place> places = all_places();
  Permissions all = kNone;
  for (const Place& place : places) {
    if (overlaps(place.pattern, pattern)) all |= place.permitted;
  }
  return all;
}

}  // namespace torno::policy::procfs
