#include <algorithm>

#include "broker/filter/step.h"

namespace torno::filter {

Result<Instructions> make_step(std::span<const Rule> rules, std::uint32_t otherwise) {
  const std::string identity = identity_of(rules, otherwise);
  const auto ready =
      std::ranges::lower_bound(ready_steps(), std::string_view(identity), {}, &ReadyStep::identity);
  if (ready == ready_steps().end() || ready->identity != identity) {
    return compile_step(rules, otherwise);
  }
  return Instructions(ready->instructions.begin(), ready->instructions.end());
}

}  // namespace torno::filter
