// ConnectRules: what a policy's connect rules say of an endpoint. Like file rules they cost the
// same however many there are: addresses are found by one probe for each prefix length in use,
// ports by bisection, names by a PathAutomaton.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "broker/policy/automaton.h"
#include "broker/policy/endpoint.h"
#include "broker/policy/network.h"
#include "broker/policy/verdict.h"

namespace torno::policy {

struct PortRange {
  std::uint16_t first = 0;
  std::uint16_t last = 65535;
};

class ConnectRules {
 public:
  // A rule is made by source() and gets what it matches by the others.
  RuleId source(RuleSource source);
  void add_network(RuleId rule, const Network& network, PortRange ports, bool deny);
  void add_path(RuleId rule, const PathPattern& pattern, bool deny);
  // `name` is a Component of kind kLiteral or kGlob.
  void add_abstract(RuleId rule, const Component& name, bool deny);
  void finish();
  // Once finished and checked: drops what wider rules say as well; covering() may not be asked
  // any more.
  void prune();

  Verdict decide(const Endpoint& endpoint) const noexcept;

  // A rule other than `rule` that says the same (`deny`: denies) of all that is given; kNoRule
  // when there is none.
  RuleId covering(RuleId rule, const Network& network, PortRange ports, bool deny) const;
  RuleId covering(RuleId rule, const PathPattern& pattern, bool deny) const;
  RuleId covering(RuleId rule, const Component& abstract, bool deny) const;

  const RuleSource& rule_source(RuleId rule) const { return sources_[rule]; }
  bool allows_ipv4() const { return allows_ipv4_; }
  bool allows_ipv6() const { return allows_ipv6_; }
  bool allows_unix() const { return allows_unix_; }

 private:
  // Ports of one network about which the same rules speak.
  struct Segment {
    PortRange ports;
    RuleId allow_rule = kNoRule;  // the first of each kind
    RuleId deny_rule = kNoRule;
  };
  struct Range {
    PortRange ports;
    RuleId rule = kNoRule;
    bool deny = false;
  };
  struct Ports {
    std::vector<Range> ranges;      // as added, until finish()
    std::vector<Segment> segments;  // disjoint, in order
    void flatten();
    const Segment* at(std::uint16_t port) const noexcept;
  };
  struct Hash {
    std::size_t operator()(const Network& network) const noexcept;
  };

  std::vector<RuleSource> sources_;
  std::unordered_map<Network, Ports, Hash> networks_;
  std::set<std::uint8_t> lengths_[2];  // prefix lengths in use: IPv4, IPv6
  PathAutomaton unix_paths_;
  PathAutomaton abstract_;
  bool allows_ipv4_ = false;
  bool allows_ipv6_ = false;
  bool allows_unix_ = false;
};

}  // namespace torno::policy
