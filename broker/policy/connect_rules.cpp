#include "broker/policy/connect_rules.h"

#include <algorithm>
#include <cstring>
#include <queue>
#include <utility>

namespace torno::policy {
namespace {

// The one permission of the automata here.
constexpr Permissions kConnect = kSocket;

}  // namespace

std::size_t ConnectRules::Hash::operator()(const Network& network) const noexcept {
  std::uint64_t high;
  std::uint64_t low;
  std::memcpy(&high, network.address.data(), 8);
  std::memcpy(&low, network.address.data() + 8, 8);
  std::uint64_t hash = (high ^ (low * 0x9e3779b97f4a7c15)) + network.length * std::uint64_t{2} +
                       static_cast<unsigned>(network.ipv6);
  hash *= 0x9e3779b97f4a7c15;
  return hash ^ (hash >> 32);
}

// Cuts overlapping ranges into disjoint ones, by a sweep over the ports at which one begins or
// has ended; the rules alive at a port wait in two queues, the first of them on top.
void ConnectRules::Ports::flatten() {
  std::vector<std::uint32_t> cuts;
  for (const Range& range : ranges) {
    cuts.push_back(range.ports.first);
    cuts.push_back(std::uint32_t{range.ports.last} + 1);
  }
  std::ranges::sort(cuts);
  cuts.erase(std::ranges::unique(cuts).begin(), cuts.end());
  std::ranges::sort(ranges, {}, [](const Range& range) { return range.ports.first; });

  using Alive = std::pair<RuleId, std::uint32_t>;  // and its last port
  using Queue = std::priority_queue<Alive, std::vector<Alive>, std::greater<>>;
  Queue allowing;
  Queue denying;
  const auto first_alive = [](Queue& queue, std::uint32_t port) {
    while (!queue.empty() && queue.top().second < port) queue.pop();
    return queue.empty() ? kNoRule : queue.top().first;
  };
  auto range = ranges.begin();
  for (std::size_t i = 0; i + 1 < cuts.size(); ++i) {
    for (; range != ranges.end() && range->ports.first == cuts[i]; ++range) {
      (range->deny ? denying : allowing).emplace(range->rule, range->ports.last);
    }
    const Segment segment{
        {static_cast<std::uint16_t>(cuts[i]), static_cast<std::uint16_t>(cuts[i + 1] - 1)},
        first_alive(allowing, cuts[i]),
        first_alive(denying, cuts[i])};
    if (segment.allow_rule != kNoRule || segment.deny_rule != kNoRule) segments.push_back(segment);
  }
  ranges = {};
}

const ConnectRules::Segment* ConnectRules::Ports::at(std::uint16_t port) const noexcept {
  const auto found = std::ranges::lower_bound(
      segments, port, {}, [](const Segment& segment) { return segment.ports.last; });
  return found != segments.end() && found->ports.first <= port ? &*found : nullptr;
}

RuleId ConnectRules::source(RuleSource source) {
  sources_.push_back(std::move(source));
  return static_cast<RuleId>(sources_.size() - 1);
}

void ConnectRules::add_network(RuleId rule, const Network& network, PortRange ports, bool deny) {
  networks_[network].ranges.push_back({ports, rule, deny});
  lengths_[network.ipv6 ? 1 : 0].insert(network.length);
  if (!deny) (network.ipv6 ? allows_ipv6_ : allows_ipv4_) = true;
}

void ConnectRules::add_path(RuleId rule, const PathPattern& pattern, bool deny) {
  unix_paths_.add(pattern, deny ? kNone : kConnect, deny ? kConnect : kNone, rule);
  if (!deny) allows_unix_ = true;
}

void ConnectRules::add_abstract(RuleId rule, const Component& name, bool deny) {
  abstract_.add(PathPattern{{name}}, deny ? kNone : kConnect, deny ? kConnect : kNone, rule);
  if (!deny) allows_unix_ = true;
}

void ConnectRules::finish() {
  for (auto& [network, ports] : networks_) ports.flatten();
  unix_paths_.finish();
  abstract_.finish();
}

void ConnectRules::prune() {
  unix_paths_ = unix_paths_.pruned();
  abstract_ = abstract_.pruned();
}

Verdict ConnectRules::decide(const Endpoint& endpoint) const noexcept {
  Match match;
  if (endpoint.kind == Endpoint::Kind::kUnixPath) {
    match = unix_paths_.match(endpoint.name, kConnect);
  } else if (endpoint.kind == Endpoint::Kind::kUnixAbstract) {
    match = abstract_.match_name(endpoint.name, kConnect);
  } else {
    const bool ipv6 = endpoint.kind == Endpoint::Kind::kIpv6;
    for (const std::uint8_t length : lengths_[ipv6 ? 1 : 0]) {
      const auto found = networks_.find(Network::around(endpoint.address, ipv6, length));
      if (found == networks_.end()) continue;
      const Segment* const segment = found->second.at(endpoint.port);
      if (segment == nullptr) continue;
      match.allow_rule = std::min(match.allow_rule, segment->allow_rule);
      match.deny_rule = std::min(match.deny_rule, segment->deny_rule);
    }
  }
  Verdict verdict;
  if (match.overflow) return verdict;
  verdict.allowed = match.allow_rule != kNoRule && match.deny_rule == kNoRule;
  const RuleId behind = verdict.allowed ? match.allow_rule : match.deny_rule;
  if (behind != kNoRule) verdict.rule = &sources_[behind];
  return verdict;
}

RuleId ConnectRules::covering(RuleId rule, const Network& network, PortRange ports,
                              bool deny) const {
  for (const std::uint8_t length : lengths_[network.ipv6 ? 1 : 0]) {
    if (length > network.length) break;
    const auto found = networks_.find(Network::around(network.address, network.ipv6, length));
    if (found == networks_.end()) continue;
    const std::vector<Segment>& segments = found->second.segments;
    auto segment = std::ranges::lower_bound(segments, ports.first, {},
                                            [](const Segment& each) { return each.ports.last; });
    RuleId behind = kNoRule;
    std::uint32_t next = ports.first;  // the first port not yet seen to be covered
    for (; segment != segments.end() && next <= ports.last; ++segment) {
      const RuleId by = deny ? segment->deny_rule : segment->allow_rule;
      if (segment->ports.first > next || by == kNoRule || by == rule) break;
      behind = std::min(behind, by);
      next = std::uint32_t{segment->ports.last} + 1;
    }
    if (next > ports.last) return behind;
  }
  return kNoRule;
}

RuleId ConnectRules::covering(RuleId rule, const PathPattern& pattern, bool deny) const {
  const Match match = unix_paths_.cover(pattern, kConnect, rule);
  return deny ? match.deny_rule : match.allow_rule;
}

RuleId ConnectRules::covering(RuleId rule, const Component& abstract, bool deny) const {
  const Match match = abstract_.cover(PathPattern{{abstract}}, kConnect, rule);
  return deny ? match.deny_rule : match.allow_rule;
}

}  // namespace torno::policy
