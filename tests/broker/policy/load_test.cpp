// Loading: names and directories, includes, settings, variables, symlinks, protected places.
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

bool allowed(const PolicyPtr& policy, std::string_view path, Permissions wanted = kRead) {
  return policy->decide_file(path, wanted).allowed;
}

TEST(Find, TheFirstDirectoryWinsAndTheBuiltInComesLast) {
  const TemporaryDirectory first;
  const TemporaryDirectory second;
  second.write("base.policy", "file { path: \"/second\" allow: READ }");
  LoadOptions options;
  options.directories = {first.path(), first.path() + "/missing", second.path()};
  EXPECT_TRUE(allowed(load("base", options).policy, "/second"));
  first.write("base.policy", "file { path: \"/first\" allow: READ }");
  const PolicyPtr policy = load("base", options).policy;
  EXPECT_TRUE(allowed(policy, "/first"));
  EXPECT_EQ(policy->decide_file("/first", kRead).rule->file, first.path() + "/base.policy");

  const PolicyPtr built_in = load("base", {}).policy;
  ASSERT_NE(built_in, nullptr);
  EXPECT_EQ(built_in->decide_file("/etc/ld.so.cache", kRead).rule->file, "<built-in>/base.policy");
}

// A peer of a shared broker chooses the name.
TEST(Find, ANameNeverLeadsOutOfTheDirectories) {
  const TemporaryDirectory directory;
  directory.make_directory("policies");
  directory.write("secret.policy", "");
  LoadOptions options;
  options.directories = {directory.path() + "/policies"};
  for (const std::string& name :
       {std::string("../secret"), directory.path() + "/secret", std::string(".."), std::string("."),
        std::string(""), std::string("a/b"), std::string("secret\0x", 8), std::string(300, 'a'),
        std::string("a\nb")}) {
    const Loaded loaded = load(name, options);
    EXPECT_EQ(loaded.policy, nullptr) << name;
    EXPECT_TRUE(loaded.unreadable);
    EXPECT_THAT(texts(loaded), ElementsAre(HasSubstr("is no policy's name"))) << name;
  }
  EXPECT_EQ(load(directory.path() + "/secret.policy", options).policy, nullptr);
  options.allow_paths = true;
  EXPECT_NE(load(directory.path() + "/secret.policy", options).policy, nullptr);
}

TEST(Find, WhatIsMissingIsSaid) {
  const TemporaryDirectory directory;
  LoadOptions options;
  options.directories = {directory.path()};
  Loaded loaded = load("bse", options);
  EXPECT_TRUE(loaded.unreadable);
  EXPECT_THAT(texts(loaded), ElementsAre("error: no policy 'bse' in " + directory.path() +
                                         ", nor built in; did you mean 'base'?"));
  options.allow_paths = true;
  loaded = load(directory.path() + "/x.policy", options);
  EXPECT_TRUE(loaded.unreadable);
  EXPECT_THAT(texts(loaded), ElementsAre("error: cannot read '" + directory.path() +
                                         "/x.policy': No such file or directory"));
  loaded = load(directory.path(), options);
  EXPECT_TRUE(loaded.unreadable);
  EXPECT_THAT(texts(loaded), ElementsAre(HasSubstr("Is a directory")));
}

// A FIFO with nobody at its other end would hold the broker for ever.
TEST(Find, AFifoInADirectoryHoldsNobody) {
  const TemporaryDirectory directory;
  ASSERT_EQ(::mkfifo((directory.path() + "/x.policy").c_str(), 0600), 0);
  LoadOptions options;
  options.directories = {directory.path()};
  EXPECT_THAT(texts(load("x", options)), ElementsAre(HasSubstr("is no regular file")));
}

TEST(Find, DefaultDirectoriesComeFromTheEnvironmentElseTheSystem) {
  const char* const before = ::getenv("TORNO_POLICY_PATH");
  const std::string kept = before == nullptr ? "" : before;
  ::setenv("TORNO_POLICY_PATH", "/a::/b", 1);
  EXPECT_THAT(default_directories(), ElementsAre("/a", "/b"));
  ::unsetenv("TORNO_POLICY_PATH");
  EXPECT_THAT(default_directories(), ElementsAre("/etc/torno/policies", "/run/torno/policies",
                                                 HasSubstr("/lib/torno/policies")));
  if (before != nullptr) ::setenv("TORNO_POLICY_PATH", kept.c_str(), 1);
}

TEST(Name, IsTheFilesUnlessItSaysOtherwise) {
  EXPECT_EQ(load_text("", "/x/png.policy", {}).policy->name(), "png");
  EXPECT_EQ(load_text("name: \"other\"", "/x/png.policy", {}).policy->name(), "other");
}

TEST(Include, AddsRulesThatKeepTheirPlace) {
  const TemporaryDirectory directory;
  directory.write("inner.policy", "\n\nfile { path: \"/inner\" allow: READ }");
  directory.write("outer.policy",
                  "include: \"inner\"\nprofile: NO_WRITE\nfile { path: \"/x\" allow: WRITE }");
  LoadOptions options;
  options.directories = {directory.path()};
  const Loaded loaded = load("outer", options);
  ASSERT_NE(loaded.policy, nullptr) << ::testing::PrintToString(texts(loaded));
  EXPECT_EQ(loaded.policy->name(), "outer");
  EXPECT_TRUE(allowed(loaded.policy, "/x", kRead | kWrite));
  EXPECT_TRUE(allowed(loaded.policy, "/anything"));
  EXPECT_FALSE(allowed(loaded.policy, "/anything", kWrite));
  const RuleSource* rule = loaded.policy->decide_file("/inner", kRead).rule;
  EXPECT_EQ(rule->file, directory.path() + "/inner.policy");
  EXPECT_EQ(rule->line, 3);
  EXPECT_EQ(loaded.policy->merged().include_size(), 0);
}

TEST(Include, AFileReachedTwiceCountsOnce) {
  const TemporaryDirectory directory;
  directory.write("d.policy", "file { path: \"/d\" allow: READ }");
  directory.write("b.policy", "include: \"d\"");
  directory.write("c.policy", "include: \"d\"");
  directory.write("a.policy", "include: [\"b\", \"c\"]");
  LoadOptions options;
  options.directories = {directory.path()};
  const Loaded loaded = load("a", options);
  EXPECT_THAT(texts(loaded), IsEmpty());
  EXPECT_EQ(loaded.policy->merged().file_size(), 1);
}

TEST(Include, CirclesAndDepthAreErrors) {
  const TemporaryDirectory directory;
  directory.write("a.policy", "\ninclude: \"b\"");
  directory.write("b.policy", "include: \"a\"");
  for (int i = 0; i < 40; ++i) {
    directory.write("n" + std::to_string(i) + ".policy",
                    "include: \"n" + std::to_string(i + 1) + "\"");
  }
  directory.write("n40.policy", "");
  LoadOptions options;
  options.directories = {directory.path()};
  EXPECT_THAT(texts(load("a", options)),
              ElementsAre(directory.path() + "/b.policy:1:1: error: 'a' includes itself in a "
                                             "circle; remove one include"));
  EXPECT_THAT(texts(load("n0", options)), ElementsAre(HasSubstr("more than 16 files deep")));
}

TEST(Include, AnErrorNamesTheIncludedFile) {
  const TemporaryDirectory directory;
  directory.write("inner.policy", "fil { }");
  LoadOptions options;
  options.directories = {directory.path()};
  EXPECT_THAT(complaints("include: \"inner\"", options),
              ElementsAre(directory.path() +
                          "/inner.policy:1:1: error: unknown field 'fil'; did you mean 'file'?"));
}

TEST(Include, WhatAFileSaysItselfCountsBeforeWhatItIncludes) {
  const TemporaryDirectory directory;
  directory.write("a.policy",
                  "limit { open_files: 64 memory: \"1G\" } unknown_syscall: UNKNOWN_KILL");
  directory.write("b.policy", "limit { open_files: 99 }");
  LoadOptions options;
  options.directories = {directory.path()};

  const PolicyPtr own =
      must_load("include: \"a\" limit { open_files: 32 } unknown_syscall: UNKNOWN_ENOSYS", options);
  EXPECT_EQ(own->merged().limit().open_files(), 32U);
  EXPECT_EQ(own->merged().limit().memory(), "1G");
  EXPECT_EQ(own->merged().unknown_syscall(), UNKNOWN_ENOSYS);

  EXPECT_THAT(complaints("include: \"a\"\ninclude: \"b\"", options),
              ElementsAre("t.policy:2:1: error: 'limit.open_files' is one thing at " +
                          directory.path() + "/a.policy:1 and another at " + directory.path() +
                          "/b.policy:1; say in this file which holds"));
  const PolicyPtr settled = must_load("include: [\"a\", \"b\"] limit { open_files: 7 }", options);
  EXPECT_EQ(settled->merged().limit().open_files(), 7U);
  EXPECT_EQ(settled->merged().unknown_syscall(), UNKNOWN_KILL);
}

TEST(Include, RequirementsAddUp) {
  const TemporaryDirectory directory;
  directory.write("a.policy", "require: LANDLOCK");
  LoadOptions options;
  options.directories = {directory.path()};
  const PolicyPtr policy = must_load("include: \"a\" require: [MDWE, LANDLOCK]", options);
  EXPECT_THAT(policy->merged().require(), ::testing::UnorderedElementsAre(LANDLOCK, MDWE));
}

TEST(Include, AnExpectationHoldsForTheWholePolicy) {
  const TemporaryDirectory directory;
  directory.write("a.policy", "expect { deny: READ path: \"/a\" }");
  LoadOptions options;
  options.directories = {directory.path()};
  EXPECT_THAT(complaints("include: \"a\"\nfile { path: \"/a\" allow: READ }", options),
              ElementsAre(directory.path() + "/a.policy:1:1: error: expectation failed: READ of /a "
                                             "is allowed, by the rule at t.policy:2; change the "
                                             "rules or the expectation"));
}

TEST(Syscall, RulesKeepTheirPlace) {
  const PolicyPtr policy = must_load(
      "\nsyscall { name: \"write\" action: ERRNO errno: \"EPERM\" arg { index: 0 op: NE value: 1 } "
      "}");
  ASSERT_EQ(policy->merged().syscall_size(), 1);
  EXPECT_EQ(policy->merged().syscall(0).errno_name(), "EPERM");
  EXPECT_EQ(policy->syscall_source(0).line, 2);
}

TEST(Variables, AreReplacedInEveryRule) {
  LoadOptions options;
  options.variables = {{"ROOT", "/no/such"}, {"ADDRESS", "192.0.2.1"}, {"NAME", "app"}};
  const PolicyPtr policy = must_load(R"(
    file { path: "${ROOT}/${NAME}/**" allow: READ }
    file { path: "/\\${NAME}/$NAME" allow: READ }
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

TEST(Quantity, Sizes) {
  EXPECT_EQ(parse_size("0"), 0U);
  EXPECT_EQ(parse_size("512M"), 512ULL << 20);
  EXPECT_EQ(parse_size("16777215T"), 16777215ULL << 40);
  for (const char* bad :
       {"", "M", "1MB", "-1", "1 M", "0x10", "1m", "16777216T", "99999999999999999999"}) {
    EXPECT_FALSE(parse_size(bad)) << bad;
  }
  EXPECT_EQ(parse_seconds("10s"), 10U);
  EXPECT_EQ(parse_seconds("2m"), 120U);
  EXPECT_EQ(parse_seconds("1h"), 3600U);
  for (const char* bad : {"", "10", "s", "10ms", "-1s", "9999999999999999999h"}) {
    EXPECT_FALSE(parse_seconds(bad)) << bad;
  }
}

TEST(Quantity, ErrnoNames) {
  EXPECT_EQ(errno_value("EPERM"), EPERM);
  EXPECT_EQ(errno_value("EWOULDBLOCK"), EAGAIN);
  EXPECT_FALSE(errno_value("EPREM"));
  EXPECT_FALSE(errno_value(""));
}

}  // namespace
}  // namespace torno::policy
