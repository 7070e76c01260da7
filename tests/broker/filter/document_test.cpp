// docs/syscalls.md says what the compiled program does.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "broker/filter/conditions.h"
#include "broker/filter/groups.h"
#include "tests/broker/filter/simulate.h"

namespace torno::filter::test {
namespace {

constexpr const char* kDocument = TORNO_SOURCE_DIR "/docs/syscalls.md";

using Row = std::vector<std::string>;

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(' ');
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

// The rows of the table whose first column has this heading.
std::vector<Row> table(const std::string& heading) {
  std::ifstream file(kDocument);
  std::vector<Row> rows;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    Row row;
    std::istringstream cells(line);
    std::string cell;
    if (!std::getline(cells, cell, '|') || line.front() != '|') {
      inside = false;
      continue;
    }
    while (std::getline(cells, cell, '|')) row.push_back(trimmed(cell));
    if (inside && row[0].find("---") == std::string::npos) rows.push_back(row);
    if (!inside && !row.empty() && row[0] == heading) inside = true;
  }
  return rows;
}

// The words in backquotes.
std::set<std::string> code_words(const std::string& text) {
  std::set<std::string> words;
  std::istringstream parts(text);
  std::string part;
  for (bool inside = false; std::getline(parts, part, '`'); inside = !inside) {
    if (inside) words.insert(part);
  }
  return words;
}

// What the document writes for a group's action, and the program's name of it.
const std::map<std::string, std::string> kAnswers = {
    {"allowed", "ALLOW"}, {"trap", "TRAP"}, {"`EPERM`", "EPERM"}, {"`ENOSYS`", "ENOSYS"}};

TEST(Document, ListsTheGroups) {
  std::map<std::string, Row> rows;
  for (const Row& row : table("group")) {
    ASSERT_EQ(row.size(), 4U) << row[0];
    EXPECT_TRUE(rows.emplace(row[0], row).second) << row[0];
  }
  EXPECT_EQ(rows.size(), groups().size());
  for (const Group& group : groups()) {
    const auto found = rows.find(std::string(group.title));
    ASSERT_NE(found, rows.end()) << group.title;
    ASSERT_TRUE(kAnswers.contains(found->second[1])) << found->second[1];
    EXPECT_EQ(kAnswers.at(found->second[1]), action_name(group.action)) << group.title;
    EXPECT_EQ(code_words(found->second[2]),
              std::set<std::string>(group.calls.begin(), group.calls.end()))
        << group.title;
    EXPECT_EQ(found->second[3], group.reason);
  }
}

std::set<std::string> conditional_calls() {
  std::set<std::string> calls;
  for (const char* text : {"", "limit { processes: 1 } executable_mappings: MAPPINGS_DENY",
                           R"(connect { address: "127.0.0.1" port: 80 })"}) {
    const auto policy = load_policy(text);
    const Conditions conditions = conditions_for(*policy, kNewestAbi);
    for (const auto* stage : {&conditions.marked, &conditions.refused, &conditions.native}) {
      for (const Rule& rule : *stage) calls.insert(rule.call);
    }
  }
  return calls;
}

TEST(Document, ListsEveryCallWithConditions) {
  std::set<std::string> documented;
  for (const Row& row : table("call")) {
    for (const auto& call : code_words(row[0])) EXPECT_TRUE(documented.insert(call).second) << call;
  }
  EXPECT_EQ(documented, conditional_calls());
}

// What the conditions of one call are, in words that can be compared.
std::map<std::string, std::string> conditions_by_call(const Conditions& conditions) {
  std::map<std::string, std::string> calls;
  char stage_name = 'a';
  for (const auto* stage : {&conditions.marked, &conditions.refused, &conditions.native}) {
    for (const Rule& rule : *stage) {
      std::ostringstream text;
      text << stage_name << " " << rule.action;
      for (const Comparison& each : rule.when) {
        text << " " << each.arg << " " << each.op << " " << each.datum_a << " " << each.datum_b;
      }
      calls[rule.call] += text.str() + "\n";
    }
    ++stage_name;
  }
  return calls;
}

TEST(Document, ListsEveryCallThatTheTransportsTreatDifferently) {
  const auto policy = load_policy(R"(file { path: "/usr/bin/**" allow: EXECUTE })");
  ASSERT_NE(policy, nullptr);
  auto trap = conditions_by_call(conditions_for(*policy, kNewestAbi, Transport::kTrap));
  auto notify = conditions_by_call(conditions_for(*policy, kNewestAbi, Transport::kNotify));
  std::set<std::string> different;
  for (const Group& group : groups()) {
    for (const std::string_view call : group.calls) {
      const std::string name(call);
      if (trap[name] != notify[name]) different.insert(name);
    }
  }
  std::set<std::string> documented;
  for (const Row& row : table("changed call")) {
    ASSERT_EQ(row.size(), 4U) << row[0];
    for (const auto& call : code_words(row[0])) EXPECT_TRUE(documented.insert(call).second) << call;
  }
  EXPECT_EQ(documented, different);
}

// "translated" and "allowed" are said of every argument; what depends on one is told in more words.
TEST(Document, SaysWhatBecomesOfChangedCalls) {
  const auto program = compile_notify(R"(file { path: "/usr/bin/**" allow: EXECUTE })");
  for (const Row& row : table("changed call")) {
    for (const auto& call : code_words(row[0])) {
      const bool translated = group_of(call)->kind == Kind::kTranslated;
      EXPECT_EQ(row[1].starts_with("translated"), translated) << call;
      EXPECT_EQ(row[1].starts_with("allowed"), !translated) << call;
      const bool always = row[2] == "allowed";
      EXPECT_EQ(row[2].ends_with("notify"), !always) << call;
      for (const std::uint64_t value : {std::uint64_t{7}, std::uint64_t{4095}, kGarbage | 31}) {
        const std::uint64_t given = always ? value : 7;  // no pid 0, and none of the flags
        EXPECT_EQ(says(program, call.c_str(), {given, given, given, given, given}),
                  always ? "ALLOW" : "NOTIFY")
            << call;
      }
    }
  }
}

// The other translated calls, and those that the section names beside the table.
TEST(Document, SaysWhichCallsNotify) {
  std::set<std::string> changed;
  for (const Row& row : table("changed call")) changed.merge(code_words(row[0]));
  const auto program = compile_notify("");
  for (const Group& group : groups()) {
    if (group.kind != Kind::kTranslated) continue;
    for (const std::string_view call : group.calls) {
      if (changed.contains(std::string(call))) continue;
      EXPECT_TRUE(call == "sendmsg" || call == "sendmmsg") << call;
      EXPECT_EQ(says(program, std::string(call).c_str(), {3}), "NOTIFY") << call;
    }
  }
  EXPECT_EQ(says(program, "sendmsg", {4095}), "ALLOW");
  for (const char* call : {"chdir", "getcwd", "execve", "execveat"}) {
    EXPECT_EQ(says(program, call), "NOTIFY") << call;
  }
  EXPECT_EQ(says(program, "fchdir"), "ALLOW");
}

// Arguments that no condition matches: what the program then says is the group's answer.
TEST(Document, AnswersAreTheProgramsOwn) {
  constexpr std::uint64_t kNothing = 0x0b0b'0b0b'5a5a'5a5a;
  const auto program = compile_text("", 0);
  for (const Row& row : table("group")) {
    for (const auto& call : code_words(row[2])) {
      EXPECT_EQ(
          says(program, call.c_str(), {kNothing, kNothing, kNothing, kNothing, kNothing, kNothing}),
          kAnswers.at(row[1]))
          << call;
    }
  }
}

TEST(Document, SaysWhatAPolicyMayAllow) {
  for (const Group& group : groups()) {
    if (!group.policy_may_allow) continue;
    std::ifstream file(kDocument);
    const std::string text(std::istreambuf_iterator<char>(file), {});
    EXPECT_NE(text.find("Only the group *" + std::string(group.title) + "*"), std::string::npos);
  }
}

}  // namespace
}  // namespace torno::filter::test
