// docs/policy.md lists what of /proc may be handed out: compared with what procfs::permits says of
// every entry that this kernel has, and of every entry on the list.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "broker/files/procfs.h"

namespace torno::files {
namespace {

namespace fs = std::filesystem;
using policy::Permissions;

struct Row {
  Permissions permitted = policy::kNone;
  bool tree = false;
};
using Column = std::map<std::string, Row>;  // name beneath /proc or /proc/self

struct Document {
  Column global;
  Column own;
};

std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells;
  std::istringstream text(line);
  for (std::string cell; std::getline(text, cell, '|');) cells.push_back(cell);
  return cells;
}

void add(Column& column, const std::string& cell, Row row) {
  std::istringstream parts(cell);
  std::string part;
  for (bool inside = false; std::getline(parts, part, '`'); inside = !inside) {
    if (inside) {
      EXPECT_TRUE(column.emplace(part, row).second) << part << " stands there twice";
    }
  }
}

Document read_document() {
  std::ifstream page(TORNO_SOURCE_DIR "/docs/policy.md");
  Document document;
  std::string line;
  while (std::getline(page, line) && !line.starts_with("| at most |")) {
  }
  std::getline(page, line);  // the line beneath the heading
  while (std::getline(page, line) && line.starts_with('|')) {
    const std::vector<std::string> cells = cells_of(line);
    Row row{policy::kStat, cells.at(1).contains("all beneath")};
    if (cells[1].contains("`READ`")) row.permitted |= policy::kRead;
    if (cells[1].contains("`WRITE`")) row.permitted |= policy::kWrite;
    add(document.global, cells.at(2), row);
    add(document.own, cells.at(3), row);
  }
  return document;
}

// What the document says of a name; kNone when it says nothing.
Permissions documented(const Column& column, const std::string& name) {
  Permissions permitted = policy::kNone;
  for (const auto& [entry, row] : column) {
    if (name == entry || (row.tree && is_at_or_beneath(name, entry))) permitted |= row.permitted;
    if (entry.starts_with(name + "/")) permitted |= policy::kStat;
  }
  return permitted;
}

void expect_as_documented(const std::string& path, Permissions permitted) {
  for (const Permissions one : {policy::kStat, policy::kRead, policy::kWrite}) {
    EXPECT_EQ(procfs::permits(path, one), (permitted & one) != 0)
        << path << " " << policy::to_string(one);
  }
  for (const Permissions one : {policy::kCreate, policy::kExecute}) {
    EXPECT_FALSE(procfs::permits(path, one)) << path;
  }
}

// Every name that this kernel has beneath `root`, to the depth that lists have.
std::vector<std::string> names_beneath(const std::string& root) {
  constexpr int kDepth = 5;
  std::vector<std::string> names;
  const auto quiet = fs::directory_options::skip_permission_denied;
  std::error_code error;
  for (fs::recursive_directory_iterator entry(root, quiet, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().string().substr(root.size() + 1);
    const bool other =
        root == procfs::kRoot && (name.find_first_not_of("0123456789") == std::string::npos ||
                                  name == "self" || name == "thread-self");
    if (other || name == "task" || entry.depth() >= kDepth) entry.disable_recursion_pending();
    if (!other) names.push_back(name);
  }
  return names;
}

TEST(ProcfsDocument, ListsWhatTheKernelHas) {
  const Document document = read_document();
  const std::vector<std::string> global = names_beneath("/proc");
  const std::vector<std::string> own = names_beneath("/proc/self");
  EXPECT_GT(global.size(), 50U);
  EXPECT_GT(own.size(), 30U);
  for (const std::string& name : global) {
    expect_as_documented("/proc/" + name, documented(document.global, name));
  }
  const std::string thread = "/proc/self/task/" + std::to_string(getpid()) + "/";
  for (const std::string& name : own) {
    expect_as_documented("/proc/self/" + name, documented(document.own, name));
    expect_as_documented(thread + name, documented(document.own, name));
  }
}

TEST(ProcfsDocument, NamesWhatIsHandedOut) {
  const Document document = read_document();
  EXPECT_GT(document.global.size(), 40U);
  EXPECT_GT(document.own.size(), 30U);
  for (const auto& [name, row] : document.global) {
    expect_as_documented("/proc/" + name, row.permitted);
  }
  for (const auto& [name, row] : document.own) {
    expect_as_documented("/proc/self/" + name, row.permitted);
  }
  expect_as_documented("/proc", policy::kStat);
  expect_as_documented("/proc/self", policy::kStat | policy::kRead);
}

}  // namespace
}  // namespace torno::files
