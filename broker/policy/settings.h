// Settings: the fields of a policy that hold one value (limits, unknown_syscall, ...), when
// several files are merged. What a file says itself counts before what it includes.
#pragma once

#include <map>
#include <string>

#include "broker/policy/source_file.h"

namespace torno::policy {

class Settings {
 public:
  // Takes what the file says, and checks it.
  void take(const Located& root, Report& report);

  // Adds what an included file says where this one says nothing; two included files that
  // disagree are an error at `where`.
  void add(const Settings& included, const RuleSource& where, Report& report);

  void apply(PolicyFile& merged) const;

 private:
  struct Setting {
    PolicyFile value;  // with nothing but this field set
    RuleSource where;
    bool own = true;
  };
  std::map<std::string, Setting> settings_;  // by name: "limit.memory"
};

}  // namespace torno::policy
