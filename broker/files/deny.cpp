#include "broker/files/deny.h"

#include <cerrno>
#include <string>

namespace torno::files {

void deny(Outcome& outcome, std::string_view path, policy::Permissions wanted,
          const policy::RuleSource* rule) {
  outcome = failed(EACCES);
  outcome.denial = Denial{.path = std::string(path), .wanted = wanted, .rule = rule};
}

}  // namespace torno::files
