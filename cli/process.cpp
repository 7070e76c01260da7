#include "cli/process.h"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <map>
#include <sstream>
#include <system_error>
#include <utility>

#include "broker/base/fd.h"

namespace torno::cli {

namespace {

using Fields = std::map<std::string, std::string>;

// A status file's "Key:\tvalue" lines; fails with an errno value.
std::expected<Fields, int> read_status(const std::string& path) {
  const Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return std::unexpected(errno);
  std::string text;
  std::array<char, 4096> block{};
  ssize_t got = 0;
  while ((got = read(file.get(), block.data(), block.size())) > 0) {
    text.append(block.data(), static_cast<std::size_t>(got));
  }
  if (got < 0) return std::unexpected(errno);  // ESRCH: it ended while it was read

  Fields fields;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    const std::size_t value = line.find_first_not_of(" \t", colon + 1);
    fields[line.substr(0, colon)] = value == std::string::npos ? "" : line.substr(value);
  }
  return fields;
}

Confinement confinement(Fields& fields) {
  return {.seccomp = fields["Seccomp"],
          .filters = fields["Seccomp_filters"],
          .no_new_privs = fields["NoNewPrivs"],
          .inheritable = fields["CapInh"],
          .permitted = fields["CapPrm"],
          .effective = fields["CapEff"],
          .bounding = fields["CapBnd"],
          .ambient = fields["CapAmb"]};
}

// "real effective saved filesystem", tabs between.
std::string second_word(const std::string& text) {
  std::istringstream words(text);
  std::string word;
  words >> word >> word;
  return word;
}

std::string link_text(const std::string& path) {
  std::array<char, 64> text{};
  const ssize_t size = ::readlink(path.c_str(), text.data(), text.size());
  return size > 0 ? std::string(text.data(), static_cast<std::size_t>(size)) : std::string();
}

std::vector<Namespace> read_namespaces(const std::string& directory) {
  // As namespaces(7) and a policy call them, and as /proc does.
  constexpr std::pair<const char*, const char*> kNames[] = {
      {"user", "user"}, {"mount", "mnt"},     {"pid", "pid"},    {"ipc", "ipc"},
      {"uts", "uts"},   {"cgroup", "cgroup"}, {"network", "net"}};
  std::vector<Namespace> namespaces;
  for (const auto& [name, entry] : kNames) {
    const std::string its = link_text(directory + "/ns/" + entry);
    const std::string ours = link_text(std::string("/proc/self/ns/") + entry);
    namespaces.push_back({name, !its.empty() && !ours.empty(), its != ours});
  }
  return namespaces;
}

Error no_process(pid_t pid, int error) {
  if (error == ENOENT || error == ESRCH) {
    return {"there is no process " + std::to_string(pid) + ", or /proc hides it from this user"};
  }
  return system_error("cannot read /proc/" + std::to_string(pid) + "/status", error);
}

}  // namespace

Result<Process> read_process(pid_t pid) {
  const std::string directory = "/proc/" + std::to_string(pid);
  auto fields = read_status(directory + "/status");
  if (!fields) return std::unexpected(no_process(pid, fields.error()));

  Process process;
  process.name = (*fields)["Name"];
  process.uid = second_word((*fields)["Uid"]);
  process.threads.push_back({pid, confinement(*fields)});

  process.namespaces = read_namespaces(directory);

  std::error_code error;
  for (std::filesystem::directory_iterator entry(directory + "/task", error), end;
       !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    pid_t id = 0;
    std::from_chars(name.data(), name.data() + name.size(), id);
    if (id == pid) continue;
    auto thread = read_status((entry->path() / "status").string());
    if (thread) process.threads.push_back({id, confinement(*thread)});  // else it has ended
  }
  if (error) return std::unexpected(no_process(pid, error.value()));
  return process;
}

}  // namespace torno::cli
