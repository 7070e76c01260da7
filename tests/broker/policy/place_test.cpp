// What a rule's path means on this machine: variables, symlinks, the broker's
// own places.
#include "broker/policy/loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/policy/find.h"
#include "broker/policy/quantity.h"
#include "tests/broker/policy/policy_fixture.h"

namespace torno::policy {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(Variables, AreReplacedInEveryRule) {
  LoadOptions options;
  options.variables = {{"ROOT", "/no/such"}, {"ADDRESS", "192.0.2.1"}, {"NAME", "app"}};
  const PolicyPtr policy = must_load(R"(
    file { path: "${ROOT}/${NAME}/**" allow: READ }
    file { path: "/\\${NAME}/\\$NAME" allow: READ }
    connect { address: "${ADDRESS}" }
    connect { unix: "${ROOT}/s" }
    connect { abstract: "${NAME}-*" }
    expect { allow: READ path: "${ROOT}/app/x" }
    expect { connect: "${ADDRESS}:80" })",
                                     options);
  EXPECT_TRUE(allowed(policy, "/no/such/app/x"));
  EXPECT_TRUE(allowed(policy, "/${NAME}/$NAME"));
  EXPECT_EQ(policy->merged().file(0).path(), "/no/such/app/**");
  EXPECT_EQ(policy->merged().connect(0).address(), "192.0.2.1");
}

// Whoever chooses a value must not thereby widen the rule.
TEST(Variables, AValueIsLiteral) {
  LoadOptions options;
  options.variables = {{"X", "*"}, {"Y", "**"}, {"Z", "a\\"}};
  const PolicyPtr policy = must_load(R"(
    file { path: "/a/${X}" allow: READ }
    file { path: "/b/${Y}" allow: READ }
    file { path: "/c/${Z}*" allow: READ })",
                                     options);
  EXPECT_TRUE(allowed(policy, "/a/*"));
  EXPECT_FALSE(allowed(policy, "/a/b"));
  EXPECT_TRUE(allowed(policy, "/b/**"));
  EXPECT_FALSE(allowed(policy, "/b/x/y"));
  EXPECT_TRUE(allowed(policy, "/c/a\\x"));
  EXPECT_FALSE(allowed(policy, "/c/a*"));
}

TEST(Variables, AValueThatBreaksTheRuleIsAnError) {
  const std::pair<std::string, const char*> bad[] = {{"", "is empty"},
                                                     {"..", "'..' is no part"},
                                                     {"../x", "'..' is no part"},
                                                     {"x/../..", "'..'"},
                                                     {"/", "empty component"},
                                                     {"x//y", "empty component"},
                                                     {std::string("a\0b", 3), "NUL"}};
  for (const auto& [value, why] : bad) {
    LoadOptions options;
    options.variables = {{"X", value}};
    EXPECT_THAT(complaints("file { path: \"/a/${X}/b\" allow: READ }", options),
                ElementsAre(HasSubstr(why)))
        << value;
  }
  LoadOptions options;
  options.variables = {{"X", "relative"}};
  EXPECT_THAT(complaints("file { path: \"${X}/a\" allow: READ }", options),
              ElementsAre(HasSubstr("is relative")));
}

TEST(Variables, Defaults) {
  const auto variables = default_variables(0, 42, "/work");
  EXPECT_EQ(variables.at("HOME"), "/root");
  EXPECT_EQ(variables.at("TMPDIR"), "/tmp");
  EXPECT_EQ(variables.at("UID"), "0");
  EXPECT_EQ(variables.at("PID"), "42");
  EXPECT_EQ(variables.at("CWD"), "/work");
  const auto nobody = default_variables(3'999'999'999U, 1, "");
  EXPECT_EQ(nobody.count("HOME"), 0U) << "a user without an entry has no home";
  EXPECT_EQ(nobody.count("CWD"), 0U);
}

TEST(Links, ARuleMeansWhereItLeads) {
  const TemporaryDirectory directory;
  const std::string& root = directory.path();
  directory.make_directory("usr/lib");
  directory.write("usr/lib/x", "");
  directory.link("lib", "usr/lib");
  directory.link("short", "./lib/x");
  directory.link("out", root + "/usr/../lib");
  const PolicyPtr policy = must_load("file { path: \"" + root + "/lib/**\" allow: READ }");
  EXPECT_TRUE(allowed(policy, root + "/usr/lib/x"));
  EXPECT_FALSE(allowed(policy, root + "/usr/y"));
  EXPECT_EQ(policy->merged().file(0).path(), root + "/usr/lib/**");
  for (const std::string& way : {root, root + "/lib", root + "/usr"}) {
    EXPECT_TRUE(policy->decide_file(way, kStat).leads) << way;
  }
  EXPECT_FALSE(policy->decide_file(root + "/out", kStat).leads);

  const PolicyPtr chain = must_load("file { path: \"" + root + "/short\" allow: READ }");
  EXPECT_TRUE(allowed(chain, root + "/usr/lib/x"));
  EXPECT_TRUE(chain->decide_file(root + "/short", kStat).leads);
  EXPECT_TRUE(chain->decide_file(root + "/lib", kStat).leads);

  const PolicyPtr far = must_load("file { path: \"" + root + "/out/x\" allow: READ }");
  EXPECT_TRUE(allowed(far, root + "/usr/lib/x"));
  EXPECT_TRUE(far->decide_file(root + "/out", kStat).leads);
}

TEST(Links, ADenyThroughALinkHoldsAtBothPlaces) {
  const TemporaryDirectory directory;
  const std::string& root = directory.path();
  directory.make_directory("real");
  directory.link("name", "real");
  const PolicyPtr policy = must_load("file { path: \"" + root + "/**\" allow: READ }\n" +
                                     "file { path: \"" + root + "/name/**\" deny: READ }");
  EXPECT_FALSE(allowed(policy, root + "/real/x"));
  EXPECT_FALSE(allowed(policy, root + "/name", kStat));
}

// A sealed program wrote the policy, and asks by it where a link leads that it may not see.
TEST(Links, ThatMayNotBeLookedAtTellNothing) {
  const TemporaryDirectory directory;
  const std::string& root = directory.path();
  directory.link("link", "target");
  const auto loads = [&](const std::string& text, const MayLook& may_look) {
    LoadOptions options;
    options.may_look = may_look;
    return load_text(text, "t.policy", options).policy != nullptr;
  };
  const MayLook nothing = [](std::string_view) { return false; };
  const std::string guess = "file { path: \"" + root + "/target/**\" allow: READ }\n";
  const std::string asks = "expect { allow: READ path: \"" + root + "/link/x\" }\n";
  EXPECT_TRUE(loads(guess + asks, {})) << "positive control";
  EXPECT_FALSE(loads(guess + asks, nothing));
  EXPECT_TRUE(loads("file { path: \"" + root + "/link/**\" allow: READ }\n", nothing));
  // Alike whether there is a link.
  for (const char* name : {"/link/**", "/target/**"}) {
    const std::string denies = "file { path: \"" + root + name + "\" deny: READ }\n";
    EXPECT_TRUE(loads(denies, {}));
    EXPECT_FALSE(loads(denies, nothing)) << name;
  }
}

TEST(Links, WhatDoesNotExistOrGoesInACircleStaysAsWritten) {
  const TemporaryDirectory directory;
  const std::string& root = directory.path();
  directory.link("circle", "circle");
  directory.link("dangling", "missing/x");
  const PolicyPtr policy = must_load("file { path: \"" + root + "/no/such/*\" allow: READ }\n" +
                                     "file { path: \"" + root + "/circle/x\" allow: READ }\n" +
                                     "file { path: \"" + root + "/dangling\" allow: READ }");
  EXPECT_TRUE(allowed(policy, root + "/no/such/file"));
  EXPECT_TRUE(allowed(policy, root + "/circle/x"));
  EXPECT_TRUE(allowed(policy, root + "/missing/x"));
}

// /proc/self is the client's, and must not become the broker's own directory.
TEST(Links, LinksOfProcfsAreNotFollowed) {
  const PolicyPtr policy = must_load("file { path: \"/proc/self/status\" allow: READ }");
  EXPECT_TRUE(allowed(policy, "/proc/self/status"));
  EXPECT_FALSE(allowed(policy, "/proc/" + std::to_string(::getpid()) + "/status"));
  const TemporaryDirectory directory;
  directory.link("mtab", "/proc/self/mounts");
  const PolicyPtr through =
      must_load("file { path: \"" + directory.path() + "/mtab\" allow: READ }");
  EXPECT_TRUE(allowed(through, "/proc/self/mounts"));
}

TEST(Protected, ARuleThatNamesTheBrokersOwnIsAnError) {
  const TemporaryDirectory directory;
  const std::string& root = directory.path();
  directory.make_directory("policies");
  directory.link("alias", "policies");
  LoadOptions options;
  options.protected_paths = {root + "/policies", root + "/broker.sock"};
  for (const char* path : {"/policies", "/policies/**", "/policies/x.policy", "/policies/*/x",
                           "/alias/x", "/broker.sock"}) {
    EXPECT_THAT(complaints("file { path: \"" + root + path + "\" allow: READ }", options),
                ElementsAre(HasSubstr("t.policy:1:8: error: '" + root + path +
                                      "' reaches the broker's own files at ")))
        << path;
  }
  EXPECT_THAT(complaints("connect { unix: \"" + root + "/broker.sock\" }", options),
              ElementsAre(HasSubstr("reaches the broker's own files")));
  EXPECT_THAT(complaints("file { path: \"" + root + "/policies/**\" deny: READ }", options),
              IsEmpty());
  options.protected_paths = {"relative"};
  EXPECT_THAT(complaints("", options), ElementsAre(HasSubstr("is relative; make it absolute")));
}

TEST(Protected, AWiderRuleStopsThere) {
  const TemporaryDirectory directory;
  const std::string& root = directory.path();
  LoadOptions options;
  options.protected_paths = {root + "/broker.sock"};
  const PolicyPtr policy =
      must_load("profile: NO_INTERNET file { path: \"/**\" allow: EXECUTE }", options);
  const Verdict verdict = policy->decide_file(root + "/broker.sock", kStat);
  EXPECT_FALSE(verdict.allowed);
  EXPECT_FALSE(verdict.leads);
  EXPECT_EQ(verdict.rule->file, "<broker's own>");
  EXPECT_TRUE(allowed(policy, root + "/other"));
  Endpoint endpoint;
  endpoint.kind = Endpoint::Kind::kUnixPath;
  const std::string socket = root + "/broker.sock";
  endpoint.name = socket;
  EXPECT_FALSE(policy->decide_connect(endpoint).allowed);
  endpoint.name = root;
  EXPECT_TRUE(policy->decide_connect(endpoint).allowed);
}

}  // namespace
}  // namespace torno::policy
