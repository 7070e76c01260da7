// torno status PID: how is a process confined? What the kernel tells of it to any user.
#include <CLI/App.hpp>
#include <charconv>
#include <memory>
#include <string>
#include <string_view>

#include "broker/filter/landlock.h"
#include "broker/launch/cgroup_place.h"
#include "cli/command.h"
#include "cli/message.h"
#include "cli/process.h"

namespace torno::cli {

namespace {

constexpr const char* kFooter =
    "Shows what the kernel itself tells of the process, so a sandboxed program cannot dress it\n"
    "up. Landlock and MDWE are told only to the process itself.\n"
    "\n"
    "Examples:\n"
    "  torno status 4711\n"
    "  torno status $$\n"
    "\n"
    "Exit status: 0, or 2 when there is no such process.";

constexpr const char* kUntold = "not told by this kernel";

std::string describe_seccomp(const Confinement& thread) {
  if (thread.seccomp.empty()) return kUntold;
  if (thread.seccomp == "0") return "off";
  if (thread.seccomp == "1") return "strict";
  if (thread.filters.empty()) return "filter (how many filters: " + std::string(kUntold) + ")";
  return "filter, " + thread.filters + (thread.filters == "1" ? " filter" : " filters");
}

std::string describe_no_new_privs(const Confinement& thread) {
  if (thread.no_new_privs.empty()) return kUntold;
  return thread.no_new_privs == "1" ? "yes" : "no";
}

bool is_zero(const std::string& hex) {
  return hex.find_first_not_of('0') == std::string::npos;
}

std::string describe_capabilities(const Confinement& thread) {
  std::string sets;
  const auto add = [&sets](std::string_view name, const std::string& hex) {
    if (is_zero(hex)) return;
    if (!sets.empty()) sets += ", ";
    sets += std::string(name) + " 0x" + hex.substr(hex.find_first_not_of('0'));
  };
  add("effective", thread.effective);
  add("permitted", thread.permitted);
  add("inheritable", thread.inheritable);
  add("ambient", thread.ambient);
  // The bounding set grants nothing by itself.
  if (sets.empty()) sets = "none";
  add("bounding", thread.bounding);
  return sets;
}

std::string describe_namespaces(const Process& process) {
  std::string own;
  for (const Namespace& each : process.namespaces) {
    if (!each.known) return "not told to this user";
    if (!each.own) continue;
    if (!own.empty()) own += ", ";
    own += each.name;
  }
  return own.empty() ? "the same as yours" : "of its own: " + own;
}

std::string describe_landlock() {
  const int abi = filter::landlock_abi();
  if (abi == 0) return "none: this kernel has no Landlock, or it is switched off";
  return std::string(kUntold) + " (which has Landlock, ABI " + std::to_string(abi) + ")";
}

// Of this user, for what it launches.
std::string describe_cgroups() {
  using launch::Controller;
  std::string words;
  for (const Controller each : {Controller::kMemory, Controller::kProcesses, Controller::kCpu}) {
    const auto places = launch::find_cgroup_places({each}, false);
    const bool is_unified =
        !places.found.empty() && places.found.front().version == launch::CgroupVersion::kV2;
    if (!words.empty()) words += ", ";
    words += std::string(launch::name_of(each)) + (places.found.empty() ? " none"
                                                   : is_unified         ? " v2"
                                                                        : " v1");
  }
  return words + " (for limits of what you run)";
}

void row(std::string_view name, std::string_view value) {
  constexpr std::size_t kColumn = 14;
  std::string line(name);
  line.append(kColumn - line.size(), ' ');
  line += value;
  answer(line);
}

void show_threads(const Process& process) {
  const Confinement& main = process.threads.front().confinement;
  std::size_t different = 0;
  for (const Thread& thread : process.threads) different += thread.confinement != main ? 1U : 0U;
  const std::string count = std::to_string(process.threads.size());
  if (different == 0) {
    row("threads", count + (process.threads.size() == 1 ? "" : ", all confined alike"));
    return;
  }
  row("threads", count + ", " + std::to_string(different) + " confined otherwise than the first:");
  for (const Thread& thread : process.threads) {
    if (thread.confinement == main) continue;
    row("  " + std::to_string(thread.id),
        "seccomp " + describe_seccomp(thread.confinement) + "; no_new_privs " +
            describe_no_new_privs(thread.confinement) + "; capabilities " +
            describe_capabilities(thread.confinement));
  }
}

int show(const std::string& word) {
  pid_t pid = 0;
  const char* end = word.data() + word.size();
  const auto [stopped, error] = std::from_chars(word.data(), end, pid);
  if (error != std::errc{} || stopped != end || pid <= 0) {
    say_error("'" + escape(word) + "' is no process number; see 'torno status --help'");
    return kExitTrouble;
  }
  const Result<Process> process = read_process(pid);
  if (!process) {
    say_error(process.error().message);
    return kExitTrouble;
  }
  const Confinement& main = process->threads.front().confinement;
  row("process", word + " (" + escape(process->name) + "), uid " + process->uid);
  row("seccomp", describe_seccomp(main));
  row("no_new_privs", describe_no_new_privs(main));
  row("capabilities", describe_capabilities(main));
  row("namespaces", describe_namespaces(*process));
  row("Landlock", describe_landlock());
  row("MDWE", kUntold);
  row("cgroups", describe_cgroups());
  show_threads(*process);
  return kExitOk;
}

}  // namespace

void add_status(CLI::App& app, int& status) {
  CLI::App* command = app.add_subcommand("status", "Show how a process is confined");
  auto pid = std::make_shared<std::string>();
  command->add_option("PID", *pid, "Number of the process")->required();
  command->footer(kFooter);
  command->callback([pid, &status] { status = show(*pid); });
}

}  // namespace torno::cli
