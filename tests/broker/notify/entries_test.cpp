// Every call that makes, removes, renames or changes what a path names, outside and under the
// supervisor.
#include "tests/support/entry_acts.h"

#include "tests/broker/notify/twice.h"

namespace torno::notify::test {
namespace {

using torno::test::EntryLog;

class NotifyEntries : public Twice {
 protected:
  static EntryLog log(Record& record) {
    return EntryLog([&record](long value) { record.number(value); });
  }
};

class NotifyEntryActs : public NotifyEntries, public testing::WithParamInterface<std::string> {};

TEST_P(NotifyEntryActs, AreAsOutside) {
  for (const auto& group : torno::test::entry_acts(root_.path())) {
    if (group.name != GetParam()) continue;
    for (const auto& act : group.acts) {
      expect_same([&](Record& record) {
        EntryLog seen = log(record);
        torno::test::act_on_entries(act, root_.path(), seen);
      });
    }
  }
}

std::vector<std::string> names_of_acts() {
  std::vector<std::string> names;
  for (const auto& group : torno::test::entry_acts("/")) names.push_back(group.name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(All, NotifyEntryActs, testing::ValuesIn(names_of_acts()),
                         [](const auto& acts) { return acts.param; });

TEST_F(NotifyEntries, Pointers) {
  expect_same([&](Record& record) {
    EntryLog seen = log(record);
    torno::test::act_on_pointers(root_.path(), seen);
  });
}

TEST_F(NotifyEntries, ByDescriptors) {
  expect_same([&](Record& record) {
    EntryLog seen = log(record);
    torno::test::act_on_descriptors(root_.path(), seen);
  });
}

}  // namespace
}  // namespace torno::notify::test
