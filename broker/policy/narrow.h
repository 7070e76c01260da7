// Narrow: the limits of whoever starts a program, beside those of its policy.
#pragma once

#include <string>

#include "broker/policy/loader.h"
#include "proto/policy.pb.h"

namespace torno::policy {

// Each of `limit` becomes that of `by` where that is smaller, or where it has none. Both hold
// quantities that are well written.
void narrow(Limit& limit, const Limit& by);

// As load() and load_text(): the policy has the limits of both.
Loaded load_narrowed(const std::string& name_or_path, const LoadOptions& options,
                     const Limit& narrower);
Loaded load_text_narrowed(const std::string& text, const std::string& file,
                          const LoadOptions& options, const Limit& narrower);

}  // namespace torno::policy
