#include "broker/filter/groups.h"

#include <algorithm>
#include <iterator>
#include <ranges>

namespace torno::filter {

std::span<const Group> groups() {
  static const std::vector<Group> all = [] {
    std::vector<Group> result = allowed_groups();
    std::ranges::move(mediated_groups(), std::back_inserter(result));
    std::ranges::move(refused_groups(), std::back_inserter(result));
    return result;
  }();
  return all;
}

const Group* group_of(std::string_view call) {
  for (const Group& group : groups()) {
    if (std::ranges::find(group.calls, call) != group.calls.end()) return &group;
  }
  return nullptr;
}

std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> result;
  for (const auto word : std::views::split(text, ' '))
    result.emplace_back(word.begin(), word.end());
  return result;
}

}  // namespace torno::filter
