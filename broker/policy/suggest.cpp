#include "broker/policy/suggest.h"

#include <algorithm>
#include <cstddef>
#include <numeric>

namespace torno::policy {
namespace {

constexpr std::size_t kMaxWord = 64;  // no name of ours is longer

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// Insertions, deletions and changes of a letter from one word to the other.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t changed = diagonal + (lower(a[i]) == lower(b[j]) ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row[b.size()];
}

}  // namespace

std::string nearest(std::string_view word, const std::vector<std::string>& names) {
  if (word.size() > kMaxWord) return {};
  std::string best;
  std::size_t least = word.size() / 3 + 1;  // a letter of a short word, more of a long one
  for (const std::string& name : names) {
    const std::size_t steps = distance(word, name);
    if (steps <= least && (best.empty() || steps < least)) {
      best = name;
      least = steps;
    }
  }
  return best;
}

std::string advise(std::string_view word, const std::vector<std::string>& names) {
  const std::string near = nearest(word, names);
  if (!near.empty()) return "; did you mean '" + near + "'?";
  if (names.empty()) return "; see docs/policy.md";
  std::string out = "; write one of ";
  for (const std::string& name : names) out += (&name == &names.front() ? "" : ", ") + name;
  return out;
}

}  // namespace torno::policy
