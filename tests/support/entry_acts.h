// Every call that makes, removes, renames or changes what a path names, on trees of its own: for
// the tests that make them twice, natively and by a broker, and compare each result and errno
// value, and what the tree looks like afterwards.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace torno::test {

// What is seen, in order. Nothing is asserted: this runs inside the sandbox too.
class EntryLog {
 public:
  explicit EntryLog(std::function<void(long)> put) : put_(std::move(put)) {}
  void number(long value) { put_(value); }
  // Of a call: what it returned, and errno when it failed.
  void result(long value);

 private:
  std::function<void(long)> put_;
};

using EntryAct = std::function<long(const char* name)>;

// What is done with each of many names in a tree that is made for it in `folder`.
void act_on_entries(const EntryAct& act, const std::string& folder, EntryLog& log);

struct EntryActs {
  std::string name;
  std::vector<EntryAct> acts;
};
// `folder`: an absolute path that may be looked at.
std::vector<EntryActs> entry_acts(const std::string& folder);

// By addresses where no name is; and at descriptors of every kind. In `folder` lie "file", and
// "dir" with "inner".
void act_on_pointers(const std::string& folder, EntryLog& log);
void act_on_descriptors(const std::string& folder, EntryLog& log);

}  // namespace torno::test
