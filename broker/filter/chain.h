// Chain: several small libseccomp filters spliced into one first-match program.
//
// libseccomp has no order among rules: it takes no unconditional rule beside a conditional one
// with another action, one comparison an argument, and 2.5.4 merges overlapping 64-bit ordered
// comparisons wrongly. So every step is a filter of its own, exported with a marker as its
// default action, and the marker's returns become jumps to the next step.
#pragma once

#include <span>

#include "broker/base/error.h"
#include "broker/filter/program.h"
#include "broker/filter/rule.h"

namespace torno::filter {

class Chain {
 public:
  // A step of rules that exclude each other, so that no order among them is needed.
  Result<void> add(std::span<const Rule> rules);

  // A step of one rule with any comparisons, also several of one argument: one filter each.
  Result<void> add_exact(const Rule& rule);

  // The last step: one action a call, no comparisons, and `otherwise` for every other number.
  // Hands over the program. Other architectures and x32 numbers kill the process.
  Result<Instructions> finish(std::span<const Rule> rules, std::uint32_t otherwise);

 private:
  Instructions program_;
};

}  // namespace torno::filter
