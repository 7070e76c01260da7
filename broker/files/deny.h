// Filling an Outcome that ends a request.
#pragma once

#include <string_view>

#include "broker/files/outcome.h"
#include "broker/policy/verdict.h"

namespace torno::files {

// Every refusal is EACCES, whether the object exists or not.
void deny(Outcome& outcome, std::string_view path, policy::Permissions wanted,
          const policy::RuleSource* rule);

inline Outcome failed(int error) {
  Outcome outcome;
  outcome.error = error;
  return outcome;
}

inline Outcome wait_needed() {
  Outcome outcome;
  outcome.would_block = true;
  return outcome;
}

}  // namespace torno::files
