#include "broker/policy/narrow.h"

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "broker/policy/quantity.h"

namespace torno::policy {
namespace {

using Parse = std::expected<std::uint64_t, std::string> (*)(std::string_view);

struct Row {
  const char* field;
  Parse parse;
};

constexpr Row kTexts[] = {
    {"memory", parse_size},         {"cpu_time", parse_seconds}, {"file_size", parse_size},
    {"wall_time", parse_wall_time}, {"core_size", parse_size},   {"cpus", parse_cpus},
};

constexpr const char* kNumbers[] = {"open_files", "processes"};

}  // namespace

void narrow(Limit& limit, const Limit& by) {
  const auto* reflection = Limit::GetReflection();
  for (const Row& row : kTexts) {
    const auto* field = Limit::descriptor()->FindFieldByName(row.field);
    if (!reflection->HasField(by, field)) continue;
    const std::string text = reflection->GetString(by, field);
    const bool has = reflection->HasField(limit, field);
    if (has &&
        row.parse(reflection->GetString(limit, field)).value_or(0) <= row.parse(text).value_or(0)) {
      continue;
    }
    reflection->SetString(&limit, field, text);
  }
  for (const char* name : kNumbers) {
    const auto* field = Limit::descriptor()->FindFieldByName(name);
    if (!reflection->HasField(by, field)) continue;
    const auto number = reflection->GetUInt32(by, field);
    const bool has = reflection->HasField(limit, field);
    if (!has || number < reflection->GetUInt32(limit, field)) {
      reflection->SetUInt32(&limit, field, number);
    }
  }
}

}  // namespace torno::policy
