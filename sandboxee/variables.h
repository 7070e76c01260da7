// Variables: what torno_set gave for the policy.
#pragma once

namespace torno {

inline constexpr int kMaxVariables = 16;
inline constexpr int kMaxVariableSize = 512;  // "NAME=VALUE", without NUL

int variable_count();
const char* variable(int index);

}  // namespace torno
