#include "broker/policy/settings.h"

#include <functional>

#include "broker/policy/quantity.h"

namespace torno::policy {
namespace {

constexpr std::uint32_t kMaxOpenFiles = 4032;  // the sandboxee's reserved descriptors begin there
constexpr std::uint32_t kMaxProcesses = 1U << 22;  // the kernel's PID_MAX_LIMIT

std::string place(const RuleSource& where) {
  return where.file + ":" + std::to_string(where.line);
}

void check_limit(const Located& limit, Report& report) {
  const auto& message = static_cast<const Limit&>(limit.message());
  const auto check = [&](bool set, const char* field, const auto& parsed, bool zero_is_fine) {
    if (!set) return;
    if (!parsed) {
      report.error(limit.at(field), parsed.error());
    } else if (*parsed == 0 && !zero_is_fine) {
      report.error(limit.at(field),
                   std::string("a ") + field + " of 0 lets nothing run; write more, or remove it");
    }
  };
  check(message.has_memory(), "memory", parse_size(message.memory()), false);
  check(message.has_file_size(), "file_size", parse_size(message.file_size()), true);
  check(message.has_core_size(), "core_size", parse_size(message.core_size()), true);
  check(message.has_cpu_time(), "cpu_time", parse_seconds(message.cpu_time()), false);
  check(message.has_wall_time(), "wall_time", parse_wall_time(message.wall_time()), false);
  check(message.has_cpus(), "cpus", parse_cpus(message.cpus()), false);
  if (message.has_open_files() &&
      (message.open_files() == 0 || message.open_files() > kMaxOpenFiles)) {
    report.error(limit.at("open_files"), "open_files must lie between 1 and 4032");
  }
  if (message.has_processes() && message.processes() == 0) {
    report.error(limit.at("processes"), "processes counts the program itself; write 1");
  }
  if (message.processes() > kMaxProcesses) {
    report.error(limit.at("processes"), "processes must lie between 1 and 4194304");
  }
}

}  // namespace

void Settings::take(const Located& root, Report& report) {
  const auto& policy = static_cast<const PolicyFile&>(root.message());
  const auto set = [&](const char* field, auto setter) {
    if (!root.names(field)) return;
    Setting setting;
    setting.where = root.at(field);
    setter(setting.value);
    settings_[field] = std::move(setting);
  };
  set("unknown_syscall",
      [&](PolicyFile& value) { value.set_unknown_syscall(policy.unknown_syscall()); });
  set("broker_gone", [&](PolicyFile& value) { value.set_broker_gone(policy.broker_gone()); });
  set("executable_mappings",
      [&](PolicyFile& value) { value.set_executable_mappings(policy.executable_mappings()); });
  set("identity", [&](PolicyFile& value) { value.set_identity(policy.identity()); });

  if (!root.names("limit")) return;
  const Located limit = root.nested("limit");
  check_limit(limit, report);
  for (int i = 0; i < Limit::descriptor()->field_count(); ++i) {
    const auto* field = Limit::descriptor()->field(i);
    if (!limit.names(field->name())) continue;
    Setting setting;
    setting.where = limit.at(field->name());
    // All fields are copied, all but this one taken out again: protobuf copies no single field.
    *setting.value.mutable_limit() = policy.limit();
    for (int other = 0; other < Limit::descriptor()->field_count(); ++other) {
      if (other == i) continue;
      setting.value.limit().GetReflection()->ClearField(setting.value.mutable_limit(),
                                                        Limit::descriptor()->field(other));
    }
    settings_["limit." + field->name()] = std::move(setting);
  }
}

void Settings::add(const Settings& included, const RuleSource& where, Report& report) {
  for (const auto& [name, setting] : included.settings_) {
    const auto [known, added] = settings_.try_emplace(name, setting);
    if (added) {
      known->second.own = false;
    } else if (!known->second.own &&
               known->second.value.ShortDebugString() != setting.value.ShortDebugString()) {
      report.error(where, "'" + name + "' is one thing at " + place(known->second.where) +
                              " and another at " + place(setting.where) +
                              "; say in this file which holds");
    }
  }
}

void Settings::apply(PolicyFile& merged) const {
  for (const auto& [name, setting] : settings_) merged.MergeFrom(setting.value);
}

}  // namespace torno::policy
