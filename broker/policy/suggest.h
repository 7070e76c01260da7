// Suggest: what somebody probably meant to write.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace torno::policy {

// The nearest of `names`, if one is near enough to be a typo of `word`; else "".
std::string nearest(std::string_view word, const std::vector<std::string>& names);

// "; did you mean 'x'?", else "; write one of a, b, c".
std::string advise(std::string_view word, const std::vector<std::string>& names);

}  // namespace torno::policy
