// RuleReader: turns the rules of parsed files into a Draft; each rule is checked by itself.
#pragma once

#include <optional>
#include <string>

#include "broker/policy/draft.h"
#include "broker/policy/links.h"
#include "broker/policy/source_file.h"

namespace torno::policy {

class RuleReader {
 public:
  RuleReader(const LoadOptions& options, Draft& draft, Report& report);

  // Adds the rules of one file.
  // `included`: by another one.
  void read(const Located& root, bool included);

 private:
  void read_file(const Located& rule);
  void read_connect(const Located& rule);
  void read_syscall(const Located& rule);
  void read_expect(const Located& rule);
  void read_environment(const Located& root);
  void read_temporary(const Located& temporary);

  std::optional<RulePath> read_path(const std::string& text, const RuleSource& where);
  // False, and an error: no place for a folder of a program's own.
  bool check_temporary(const RulePath& path, const Located& temporary);
  // False, and an error: an allow rule that reaches the broker's own files.
  bool check_protected(const RulePath& path, const RuleSource& where);
  // The same of a deny rule that may be about another place than it says.
  bool check_shown(const RulePath& path, const RuleSource& where);
  MayLook may_look() const { return included_ ? MayLook{} : options_.may_look; }
  bool read_ports(const Located& rule, DraftConnectRule& draft);
  bool read_address(const Located& rule, DraftConnectRule& draft);
  bool read_unix(const Located& rule, DraftConnectRule& draft);
  bool read_abstract(const Located& rule, DraftConnectRule& draft);

  const LoadOptions& options_;
  Draft& draft_;
  Report& report_;
  LinkResolver links_;
  bool included_ = false;
};

}  // namespace torno::policy
