// decide_connect by example, and over random IP rules against a naive reference.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "broker/policy/connect_rules.h"
#include "broker/policy/network.h"
#include "broker/policy/policy.h"
#include "tests/broker/policy/policy_fixture.h"
#include "tests/support/seed.h"

namespace torno::policy {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

bool connects(const PolicyPtr& policy, const std::string& to) {
  const auto endpoint = parse_endpoint(to);
  if (!endpoint) {
    ADD_FAILURE() << endpoint.error();
    return false;
  }
  return policy->decide_connect(endpoint->endpoint()).allowed;
}

TEST(Connect, NothingIsAllowedByDefault) {
  const PolicyPtr policy = must_load(R"(file { path: "/**" allow: [READ, WRITE] })");
  EXPECT_FALSE(connects(policy, "127.0.0.1:80"));
  EXPECT_FALSE(connects(policy, "[::1]:80"));
  EXPECT_FALSE(connects(policy, "unix:/run/x"));
  EXPECT_FALSE(connects(policy, "unix:@x"));
  EXPECT_FALSE(policy->connects_ipv4());
  EXPECT_FALSE(policy->connects_ipv6());
  EXPECT_FALSE(policy->connects_unix());
}

TEST(Connect, AnAbstractNameIsWrittenInTwoWays) {
  const PolicyPtr policy = must_load(R"(
    connect { abstract: "x" }
    expect { connect: "abstract:x" }
    expect { connect: "unix:@x" }
    expect { connect: "abstract:y" refused: true }
    expect { connect: "unix:@y" refused: true })");
  for (const std::string prefix : {"abstract:", "unix:@"}) {
    EXPECT_TRUE(connects(policy, prefix + "x"));
    EXPECT_FALSE(connects(policy, prefix + "y"));
  }
}

TEST(Connect, AddressAndPort) {
  const PolicyPtr policy = must_load(R"(
    connect { address: "127.0.0.1" port: 8080 }
    connect { address: "10.0.0.0/8" port: 1000 port_end: 2000 }
    connect { address: "192.0.2.7" })");
  EXPECT_TRUE(connects(policy, "127.0.0.1:8080"));
  EXPECT_FALSE(connects(policy, "127.0.0.1:8081"));
  EXPECT_FALSE(connects(policy, "127.0.0.2:8080"));
  EXPECT_TRUE(connects(policy, "10.255.0.1:1000"));
  EXPECT_TRUE(connects(policy, "10.0.0.1:2000"));
  EXPECT_FALSE(connects(policy, "10.0.0.1:2001"));
  EXPECT_FALSE(connects(policy, "11.0.0.1:1000"));
  EXPECT_TRUE(connects(policy, "192.0.2.7:65535"));
  EXPECT_FALSE(connects(policy, "[::1]:8080"));
  EXPECT_TRUE(policy->connects_ipv4());
  EXPECT_FALSE(policy->connects_ipv6());
}

TEST(Connect, Ipv6) {
  const PolicyPtr policy = must_load(R"(connect { address: "2001:db8::/33" port: 443 })");
  EXPECT_TRUE(connects(policy, "[2001:db8:7fff::1]:443"));
  EXPECT_FALSE(connects(policy, "[2001:db8:8000::1]:443"));
  EXPECT_TRUE(policy->connects_ipv6());
}

TEST(Connect, PortAloneIsEveryAddress) {
  const PolicyPtr policy =
      must_load(R"(connect { port: 443 } connect { address: "::1" deny: true })");
  EXPECT_TRUE(connects(policy, "203.0.113.1:443"));
  EXPECT_TRUE(connects(policy, "[2001:db8::1]:443"));
  EXPECT_FALSE(connects(policy, "[::1]:443"));
  EXPECT_FALSE(connects(policy, "203.0.113.1:80"));
}

// Two spellings of loopback, which a client could use to get around a rule.
TEST(Connect, MappedAndWildcardAddressesAreNormalised) {
  const PolicyPtr policy = must_load(R"(
    connect { address: "0.0.0.0/0" } connect { address: "::/0" }
    connect { address: "127.0.0.0/8" deny: true } connect { address: "::1" deny: true })");
  EXPECT_TRUE(connects(policy, "192.0.2.1:80"));
  for (const char* loopback :
       {"127.0.0.1:80", "0.0.0.0:80", "[::ffff:127.0.0.1]:80", "[::ffff:0.0.0.0]:80", "[::]:80"}) {
    EXPECT_FALSE(connects(policy, loopback)) << loopback;
  }
}

TEST(Connect, UnixPathsAndAbstractNames) {
  const PolicyPtr policy = must_load(R"(
    connect { unix: "/srv/app/**" }
    connect { unix: "/srv/app/admin.sock" deny: true }
    connect { abstract: "torno-*" }
    connect { abstract: "torno-admin" deny: true })");
  EXPECT_TRUE(connects(policy, "unix:/srv/app/x.sock"));
  EXPECT_FALSE(connects(policy, "unix:/srv/app/admin.sock"));
  EXPECT_FALSE(connects(policy, "unix:/srv/x.sock"));
  EXPECT_TRUE(connects(policy, "unix:@torno-1/2"));
  EXPECT_FALSE(connects(policy, "unix:@torno-admin"));
  EXPECT_FALSE(connects(policy, "unix:@torn"));
}

TEST(Connect, AbstractNamesMayHoldAnyByte) {
  const PolicyPtr policy = must_load(R"(connect { abstract: "a\000b*" })");
  Endpoint endpoint;
  endpoint.kind = Endpoint::Kind::kUnixAbstract;
  endpoint.name = std::string_view("a\0b\0/c", 6);
  EXPECT_TRUE(policy->decide_connect(endpoint).allowed);
  endpoint.name = std::string_view("a", 1);
  EXPECT_FALSE(policy->decide_connect(endpoint).allowed);
}

TEST(Connect, NamesTheRule) {
  const PolicyPtr policy = must_load(
      "connect { address: \"10.0.0.0/8\" }\n"
      "connect { address: \"10.1.0.0/16\" port: 22 deny: true }\n"
      "connect { unix: \"/srv/x\" }\n");
  const auto line = [&](const std::string& to) {
    const auto* rule = policy->decide_connect(parse_endpoint(to)->endpoint()).rule;
    return rule == nullptr ? 0 : rule->line;
  };
  EXPECT_EQ(line("10.1.2.3:80"), 1);
  EXPECT_EQ(line("10.1.2.3:22"), 2);
  EXPECT_EQ(line("unix:/srv/x"), 3);
  EXPECT_EQ(line("11.0.0.1:80"), 0);
}

TEST(Connect, RulesThatSayNothingNew) {
  EXPECT_THAT(complaints("connect { address: \"10.0.0.0/8\" }\n"
                         "connect { address: \"10.0.0.1\" port: 5 }\n"),
              ElementsAre("t.policy:2:1: warning: superfluous: t.policy:1 says the same; remove "
                          "the rule"));
  EXPECT_THAT(complaints("connect { unix: \"/srv/a\" }\nconnect { unix: \"/srv/a\" }\n"),
              ElementsAre(HasSubstr("t.policy:2:1: warning: superfluous")));
  EXPECT_THAT(complaints("connect { abstract: \"*\" }\nconnect { abstract: \"a*\" }\n"),
              ElementsAre(HasSubstr("t.policy:2:1: warning: superfluous")));
  EXPECT_THAT(complaints("connect { address: \"10.0.0.1\" port: 1 port_end: 9 }\n"
                         "connect { address: \"10.0.0.1\" port: 10 }\n"
                         "connect { address: \"10.0.0.1\" port: 9 port_end: 11 deny: true }\n"),
              ElementsAre(HasSubstr("t.policy:2:1: error: the rule can never match: t.policy:3")));
  EXPECT_THAT(complaints("connect { port: 80 }\nconnect { address: \"0.0.0.0/0\" deny: true }\n"),
              IsEmpty())
      << "IPv6 is left";
}

TEST(Connect, RandomIpRulesAgreeWithTheReference) {
  struct Rule {
    Network network;
    PortRange ports;
    bool deny = false;
  };
  std::mt19937 random(test::seed(21));
  const auto below = [&](unsigned limit) { return static_cast<unsigned>(random() % limit); };
  const auto random_address = [&] {
    std::array<std::uint8_t, 16> address{};
    address[0] = static_cast<std::uint8_t>(below(2) * 128);
    address[3] = static_cast<std::uint8_t>(below(4));
    return address;
  };
  for (int round = 0; round < 2000; ++round) {
    std::vector<Rule> rules(below(12) + 1);
    ConnectRules engine;
    for (Rule& rule : rules) {
      const bool ipv6 = below(2) == 0;
      rule.network = Network::around(random_address(), ipv6,
                                     static_cast<std::uint8_t>(below(ipv6 ? 129 : 33)));
      rule.ports.first = static_cast<std::uint16_t>(below(6) + 65530);
      rule.ports.last =
          static_cast<std::uint16_t>(rule.ports.first + below(65536U - rule.ports.first));
      if (below(3) == 0) rule.ports = {};
      rule.deny = below(3) == 0;
      const RuleId id = engine.source({"", static_cast<int>(&rule - rules.data()), 0});
      engine.add_network(id, rule.network, rule.ports, rule.deny);
    }
    engine.finish();
    for (int i = 0; i < 50; ++i) {
      Endpoint endpoint;
      const bool ipv6 = below(2) == 0;
      endpoint.kind = ipv6 ? Endpoint::Kind::kIpv6 : Endpoint::Kind::kIpv4;
      endpoint.address = random_address();
      endpoint.port = static_cast<std::uint16_t>(below(2) == 0 ? below(65536) : 65530 + below(6));
      int allowing = -1;
      int denying = -1;
      for (const Rule& rule : rules) {
        const bool inside =
            rule.network.ipv6 == ipv6 &&
            Network::around(endpoint.address, ipv6, rule.network.length) == rule.network &&
            endpoint.port >= rule.ports.first && endpoint.port <= rule.ports.last;
        int& first = rule.deny ? denying : allowing;
        if (inside && first < 0) first = static_cast<int>(&rule - rules.data());
      }
      const Verdict verdict = engine.decide(endpoint);
      ASSERT_EQ(verdict.allowed, allowing >= 0 && denying < 0);
      ASSERT_EQ(verdict.rule == nullptr ? -1 : verdict.rule->line,
                denying >= 0 ? denying : allowing);
    }
  }
}

}  // namespace
}  // namespace torno::policy
