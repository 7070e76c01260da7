// Calls that make, remove, rename and change what paths name: what the kernel makes of them before
// the seal, the library and the broker make of them afterwards.
#include "tests/support/entry_acts.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "tests/sandboxee/scenario.h"

using namespace torno::test;

namespace {

using Work = std::function<void(const std::string& folder, EntryLog& log)>;

std::vector<long> seen(const Work& work, const std::string& folder) {
  std::vector<long> numbers;
  EntryLog log([&numbers](long value) { numbers.push_back(value); });
  work(folder, log);
  return numbers;
}

void prepare(const std::string& folder) {
  CHECK(mkdir(folder.c_str(), 0755) == 0);
  CHECK(mkdir((folder + "/dir").c_str(), 0755) == 0);
  for (const char* name : {"/file", "/dir/inner"}) {
    const int fd = open((folder + name).c_str(), O_CREAT | O_WRONLY, 0644);
    CHECK(write(fd, "content", 7) == 7);
    close(fd);
  }
}

void report(std::size_t which, const std::vector<long>& got, const std::vector<long>& expected) {
  if (got == expected) return;
  const auto [here, there] = std::ranges::mismatch(got, expected);
  char text[160];
  std::snprintf(text, sizeof text, "act %zu, number %td of %zu and %zu: %ld instead of %ld", which,
                here - got.begin(), got.size(), expected.size(), here != got.end() ? *here : -1,
                there != expected.end() ? *there : -1);
  check(false, __FILE__, __LINE__, text, 0);
}

// Paths of one length, since some of the names are as long as names may be.
void compare(const Place& place, const std::vector<Work>& works) {
  umask(022);
  std::vector<std::vector<long>> expected;
  for (std::size_t i = 0; i < works.size(); ++i) {
    const std::string number = std::to_string(1000 + i);
    prepare(place.writable() + "/k" + number);
    prepare(place.writable() + "/t" + number);
    expected.push_back(seen(works[i], place.writable() + "/k" + number));
  }
  enter("test");
  for (std::size_t i = 0; i < works.size(); ++i) {
    const std::string folder = place.writable() + "/t" + std::to_string(1000 + i);
    report(i, seen(works[i], folder), expected[i]);
  }
}

void compare_acts(const Place& place, const std::string& name) {
  std::vector<Work> works;
  for (const EntryActs& group : entry_acts(place.writable())) {
    if (group.name != name) continue;
    for (const EntryAct& act : group.acts) {
      works.push_back(
          [act](const std::string& folder, EntryLog& log) { act_on_entries(act, folder, log); });
    }
  }
  CHECK(!works.empty());
  compare(place, works);
}

}  // namespace

SCENARIO(entries_make_directories) {
  compare_acts(place, "MakeDirectories");
}

SCENARIO(entries_make_nodes) {
  compare_acts(place, "MakeNodes");
}

SCENARIO(entries_remove) {
  compare_acts(place, "Remove");
}

SCENARIO(entries_rename_from) {
  compare_acts(place, "RenameFrom");
}

SCENARIO(entries_rename_to) {
  compare_acts(place, "RenameTo");
}

SCENARIO(entries_rename_with_flags) {
  compare_acts(place, "RenameWithFlags");
}

SCENARIO(entries_link) {
  compare_acts(place, "Link");
}

SCENARIO(entries_symlink) {
  compare_acts(place, "Symlink");
}

SCENARIO(entries_change_modes) {
  compare_acts(place, "ChangeModes");
}

SCENARIO(entries_change_owners) {
  compare_acts(place, "ChangeOwners");
}

SCENARIO(entries_change_times) {
  compare_acts(place, "ChangeTimes");
}

SCENARIO(entries_truncate_and_statfs) {
  compare_acts(place, "TruncateAndStatfs");
}

SCENARIO(entries_by_pointers) {
  compare(place, {act_on_pointers});
}

SCENARIO(entries_by_descriptors) {
  compare(place, {act_on_descriptors});
}
