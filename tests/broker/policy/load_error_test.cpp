// Every mistake in a policy: a one-line error at its line and column that says what to do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>

#include "broker/policy/find.h"
#include "tests/broker/policy/policy_fixture.h"

namespace torno::policy {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

struct Mistake {
  const char* policy;
  const char* error;  // behind "t.policy:", its beginning
};
void PrintTo(const Mistake& mistake, std::ostream* out) {
  *out << mistake.policy;
}

class LoadError : public ::testing::TestWithParam<Mistake> {};

TEST_P(LoadError, IsOneLineWithAPlace) {
  const std::vector<std::string> all = complaints(GetParam().policy);
  ASSERT_EQ(all.size(), 1U) << ::testing::PrintToString(all);
  EXPECT_THAT(all[0], ::testing::StartsWith(std::string("t.policy:") + GetParam().error));
}

INSTANTIATE_TEST_SUITE_P(
    Syntax, LoadError,
    ::testing::Values(
        Mistake{"fil { path: \"/a\" }", "1:1: error: unknown field 'fil'; did you mean 'file'?"},
        Mistake{"file {\n  pth: \"/a\"\n}",
                "2:3: error: unknown field 'pth' in 'file'; did you mean 'path'?"},
        Mistake{"syscall { arg { idx: 1 } }",
                "1:17: error: unknown field 'idx' in 'arg'; did you mean 'index'?"},
        Mistake{"zzzzzzz: 1", "1:1: error: unknown field 'zzzzzzz'; write one of name, include"},
        Mistake{"file { path: \"/a\" allow: REED }",
                "1:26: error: 'REED' is no value of 'allow'; did you mean 'READ'?"},
        Mistake{"file { path: \"/a\" allow: read }",
                "1:26: error: 'read' is no value of 'allow'; did you mean 'READ'?"},
        Mistake{"file { path: \"/a\" allow: [READ, 77] }",
                "1:19: error: '77' is no value of 'allow'; write one of READ, WRITE"},
        Mistake{"file { path: \"/a\" allow: PERMISSION_UNSPECIFIED }",
                "1:19: error: 'PERMISSION_UNSPECIFIED' is no value of 'allow'"},
        Mistake{"broker_gone: 9", "1:1: error: '9' is no value of 'broker_gone'; write one of"},
        Mistake{"profile: NO_NETWROK",
                "1:10: error: 'NO_NETWROK' is no value of 'profile'; did you mean 'NO_NETWORK'?"},
        Mistake{"name: 5", "1:7: error: syntax error: Expected string"},
        Mistake{"name: \"a\"\nname: \"b\"", "2:1: error: the field 'name' stands twice"},
        Mistake{"connect { address: \"::1\" port: 99999999999 }",
                "1:32: error: syntax error: Integer out of range"},
        Mistake{"file { path: \"/a\" allow: READ", "1:30: error: syntax error: Expected"},
        Mistake{"file { path: \"/a\n\" }", "1:17: error: syntax error: String literals cannot"},
        Mistake{";",
                "1:1: error: syntax error: Expected a name, found ';'; see docs/policy.md for"},
        Mistake{"file { alow READ }", "1:8: error: unknown field 'alow' in 'file'"},
        Mistake{"name: \"a b\"", "1:1: error: a policy's name is"},
        Mistake{"name: \"a+b\"", "1:1: error: a policy's name is"}));

INSTANTIATE_TEST_SUITE_P(
    NotBuilt, LoadError,
    ::testing::Values(
        Mistake{"bind { port: 80 }", "1:1: error: 'bind' is not built yet: "},
        Mistake{"peer { user: \"www-data\" }", "1:1: error: 'peer' is not built yet: "},
        Mistake{"identity: PEER", "1:1: error: identity PEER is not built yet: "},
        Mistake{"resolver { address: \"::1\" }", "1:1: error: 'resolver' is not built yet: "},
        Mistake{"file { path: \"/a\" allow: READ delegate: true }",
                "1:31: error: 'delegate' is not built yet: "},
        Mistake{"file { path: \"/a\" allow: READ delegate: false }",
                "1:31: error: 'delegate' is not built yet: "},
        Mistake{"connect { host: \"example.org\" port: 80 }",
                "1:11: error: 'host' is not built yet: "},
        Mistake{"connect { address: \"::1\" protocol: UDP }",
                "1:26: error: protocol UDP is not built yet: "},
        Mistake{"connect { unix: \"/a\" protocol: DGRAM }",
                "1:22: error: protocol DGRAM is not built yet: "}));

INSTANTIATE_TEST_SUITE_P(
    FileRules, LoadError,
    ::testing::Values(
        Mistake{"\n  file { allow: READ }", "2:3: error: a file rule without a path"},
        Mistake{"file { path: \"/a\" }", "1:1: error: a file rule that neither allows nor denies"},
        Mistake{"file { path: \"/a\" type: FIFO }",
                "1:1: error: a file rule that neither allows nor denies"},
        Mistake{"file { path: \"a/b\" allow: READ }", "1:8: error: the path 'a/b' is relative"},
        Mistake{"file { path: \"/a//b\" allow: READ }",
                "1:8: error: the path '/a//b' has an empty"},
        Mistake{"file { path: \"/a**\" allow: READ }", "1:8: error: '**' is glued"},
        Mistake{"file { path: \"/a\\000b\" allow: READ }", "1:8: error: the path holds a NUL"},
        Mistake{"file { path: \"/a/../b\" allow: READ }", "1:8: error: '..' is no part"},
        Mistake{
            "file { path: \"${NOWHERE}/b\" allow: READ }",
            "1:8: error: unknown variable ${NOWHERE}; give it a value with --set NOWHERE=VALUE"},
        Mistake{"file { path: \"/a/${B\" allow: READ }", "1:8: error: '${' has no '}'"},
        Mistake{"file { path: \"/$HOME/x\" allow: READ }",
                "1:8: error: '$HOME' is no variable; write ${HOME}, or '\\\\$' for the character"},
        Mistake{"file { path: \"/a$\" allow: READ }",
                "1:8: error: '$' is no variable; write ${NAME}, or "},
        Mistake{"file { path: \"/a\" allow: READ deny: READ }",
                "1:31: error: the rule allows and denies READ at once"},
        Mistake{"file { path: \"/a\" allow: STAT deny: READ }",
                "1:31: error: the rule allows and denies STAT at once"},
        Mistake{"file { path: \"/a/**\" deny: READ }\nfile { path: \"/a/b*\" allow: READ }",
                "2:1: error: the rule can never match: t.policy:1 denies READ on all of it"},
        Mistake{"file { path: \"/a/b\" allow: [READ, WRITE] }\nfile { path: \"/**\" deny: [READ, "
                "WRITE] }",
                "1:1: error: the rule can never match: t.policy:2 denies READ|WRITE"},
        Mistake{"file { path: \"/proc/1/status\" allow: READ }",
                "1:1: error: the rule can never match: of /proc a program is given its own part"},
        Mistake{"file { path: \"/proc/self/mem\" allow: READ }",
                "1:1: error: the rule can never match: of /proc"},
        Mistake{"file { path: \"/proc/*/mem\" allow: READ }",
                "1:1: error: the rule can never match: of /proc"},
        Mistake{"file { path: \"/proc/kcore\" allow: [READ, WRITE] }",
                "1:1: error: the rule can never match: of /proc"},
        Mistake{"file { path: \"/a/**\" allow: EXECUTE }\nfile { path: \"/a/b\" deny: EXECUTE }",
                "2:1: error: EXECUTE is denied beneath what t.policy:1 allows"},
        Mistake{"file { path: \"/a/**\" allow: [READ, EXECUTE] }\n"
                "file { path: \"/**/b*\" deny: EXECUTE }",
                "2:1: error: EXECUTE is denied beneath what t.policy:1 allows"}));

INSTANTIATE_TEST_SUITE_P(
    ConnectRules, LoadError,
    ::testing::Values(
        Mistake{"connect { }", "1:1: error: a connect rule that names nothing"},
        Mistake{"connect { deny: true }", "1:1: error: a connect rule that names nothing"},
        Mistake{"connect { unix: \"/a\" port: 1 }", "1:1: error: a connect rule names either"},
        Mistake{"connect { unix: \"/a\" abstract: \"b\" }",
                "1:1: error: a connect rule names either"},
        Mistake{"connect { unix: \"a\" }", "1:11: error: the path 'a' is relative"},
        Mistake{"connect { unix: \"/a\" protocol: TCP }", "1:22: error: TCP is for addresses"},
        Mistake{"connect { port: 1 protocol: STREAM }", "1:19: error: STREAM is for unix sockets"},
        Mistake{"connect { port: 0 }", "1:11: error: 0 is no port"},
        Mistake{"connect { port: 65536 }", "1:11: error: 65536 is no port"},
        Mistake{"connect { port_end: 5 }", "1:11: error: port_end is the last port"},
        Mistake{"connect { port: 5 port_end: 4 }", "1:19: error: port_end is the last port"},
        Mistake{"connect { address: \"localhost\" }", "1:11: error: 'localhost' is no address"},
        Mistake{"connect { address: \"10.0.0.0/33\" }", "1:11: error: '10.0.0.0/33' has a wrong"},
        Mistake{"connect { address: \"10.0.0.1/8\" }",
                "1:11: error: '10.0.0.1/8' has bits behind its prefix length; write 10.0.0.0/8"},
        Mistake{"connect { address: \"::ffff:1.2.3.4\" }",
                "1:11: error: '::ffff:1.2.3.4' is an IPv4"},
        Mistake{"connect { address: \"0.0.0.0\" }", "1:11: error: connecting to '0.0.0.0' reaches"},
        Mistake{"connect { abstract: \"\" }", "1:11: error: an abstract name has"},
        Mistake{"connect { abstract: \"a\\\\\" }", "1:11: error: a backslash at the end"}));

INSTANTIATE_TEST_SUITE_P(
    OtherRules, LoadError,
    ::testing::Values(
        Mistake{"syscall { action: ALLOW }", "1:1: error: a syscall rule without a name"},
        Mistake{"syscall { name: \"write\" }", "1:1: error: a syscall rule without an action"},
        Mistake{"syscall { name: \"write\" action: ERRNO }", "1:1: error: action ERRNO without"},
        Mistake{"syscall { name: \"write\" action: ERRNO errno: \"EPREM\" }",
                "1:39: error: 'EPREM' is no errno name"},
        Mistake{"syscall { name: \"write\" action: KILL errno: \"EPERM\" }",
                "1:38: error: errno belongs to action: ERRNO"},
        Mistake{"syscall { name: \"write\" action: KILL arg { index: 6 op: EQ } }",
                "1:44: error: a system call has six arguments"},
        Mistake{"syscall { name: \"write\" action: KILL arg { index: 1 value: 3 } }",
                "1:38: error: an argument without op"},
        Mistake{"syscall { name: \"write\" action: KILL arg { op: EQ mask: 3 } }",
                "1:38: error: mask and op: MASKED_EQ belong together"},
        Mistake{"syscall { name: \"write\" action: KILL arg { op: MASKED_EQ value: 1 } }",
                "1:38: error: mask and op: MASKED_EQ belong together"},
        Mistake{"syscall { name: \"write\" action: KILL arg { op: MASKED_EQ value: 4 mask: 3 } }",
                "1:58: error: the value has bits that the mask takes away"},
        Mistake{"limit { memory: \"lots\" }", "1:9: error: 'lots' is no size"},
        Mistake{"limit { memory: \"0\" }", "1:9: error: a memory of 0"},
        Mistake{"limit { cpu_time: \"10\" }", "1:9: error: '10' is no duration"},
        Mistake{"limit { cpu_time: \"0s\" }", "1:9: error: a cpu_time of 0"},
        Mistake{"limit { file_size: \"20000000T\" }", "1:9: error: '20000000T' is no size"},
        Mistake{"limit { open_files: 0 }", "1:9: error: open_files must lie between 1 and 4032"},
        Mistake{"limit { open_files: 5000 }", "1:9: error: open_files must lie between"},
        Mistake{"limit { processes: 4194305 }", "1:9: error: processes must lie between"},
        Mistake{"limit { cpus: \"0\" }", "1:9: error: a cpus of 0 lets nothing run"},
        Mistake{"limit { cpus: \"half\" }", "1:9: error: 'half' is no share of processors"},
        Mistake{"limit { processes: 0 }", "1:9: error: processes counts the program itself"},
        Mistake{"expect { path: \"/a\" }", "1:1: error: expect needs either"},
        Mistake{"expect { allow: READ }", "1:1: error: expect needs either"},
        Mistake{"expect { deny: READ path: \"/a\" refused: true }", "1:1: error: expect needs"},
        Mistake{"expect { connect: \"1.2.3.4:5\" allow: READ }", "1:1: error: expect needs either"},
        Mistake{"expect { deny: READ path: \"/a/*\" }", "1:21: error: expect is about one path"},
        Mistake{"expect { connect: \"1.2.3.4\" }", "1:10: error: '1.2.3.4' is no endpoint"},
        Mistake{"expect { connect: \"::1:80\" }", "1:10: error: '::1:80' is no endpoint"},
        Mistake{"expect { connect: \"unix:x\" }", "1:10: error: 'unix:x' names no socket"}));

INSTANTIATE_TEST_SUITE_P(
    Environment, LoadError,
    ::testing::Values(
        Mistake{"environment: \"\"", "1:1: error: '' is no variable's name"},
        Mistake{"\nenvironment: [\"A\", \"1A\"]", "2:1: error: '1A' is no variable's name"},
        Mistake{"environment: \"1*\"", "1:1: error: '1*' is no variable's name"},
        Mistake{"environment: \"A*B\"", "1:1: error: 'A*B' is no variable's name"},
        Mistake{"environment: \"A**\"", "1:1: error: 'A**' is no variable's name"},
        Mistake{"environment: \"A=1\"", "1:1: error: 'A=1' is no variable's name"},
        Mistake{"environment: \"${HOME}\"", "1:1: error: '${HOME}' is no variable's name"},
        Mistake{"environment: \"A\\n\"", "1:1: error: 'A\\x0a' is no variable's name"},
        Mistake{"environment: \"TORNO_FD\"", "1:1: error: 'TORNO_FD' is Torno's own"},
        Mistake{"environment: \"TORNO_*\"", "1:1: error: 'TORNO_*' is Torno's own"},
        Mistake{"environment: []", "1:1: error: an empty list names no variable"}));

INSTANTIATE_TEST_SUITE_P(
    Expect, LoadError,
    ::testing::Values(
        Mistake{"expect { allow: READ path: \"/a\" }",
                "1:1: error: expectation failed: READ of /a is denied, no rule allows it"},
        Mistake{
            "file { path: \"/a/**\" allow: READ }\nexpect { deny: [WRITE, READ] path: \"/a/b\" }",
            "2:1: error: expectation failed: READ of /a/b is allowed, by the rule at t.policy:1"},
        Mistake{
            "file { path: \"/a/**\" allow: READ }\nfile { path: \"/a/b\" deny: READ }\n"
            "expect { allow: READ path: \"/a/b\" }",
            "3:1: error: expectation failed: READ of /a/b is denied, by the rule at t.policy:2"},
        Mistake{"expect { connect: \"127.0.0.1:80\" }",
                "1:1: error: expectation failed: CONNECT to 127.0.0.1:80 is denied, no rule"},
        Mistake{"connect { unix: \"/srv/x\" }\nexpect { connect: \"unix:/srv/x\" refused: true }",
                "2:1: error: expectation failed: CONNECT to unix:/srv/x is allowed, by the rule at "
                "t.policy:1"}));

INSTANTIATE_TEST_SUITE_P(
    Include, LoadError,
    ::testing::Values(Mistake{"include: \"bsae\"",
                              "1:1: error: no policy 'bsae' is built in; did you mean 'base'?"},
                      Mistake{"include: \"../base\"", "1:1: error: '../base' is no policy's name"},
                      Mistake{"include: \"..\"", "1:1: error: '..' is no policy's name"},
                      Mistake{"include: \"\"", "1:1: error: '' is no policy's name"}));

TEST(Load, WhatOfProcIsGivenMayBeAllowed) {
  for (const char* path :
       {"/proc", "/proc/**", "/proc/self", "/proc/self/status", "/proc/*/status", "/proc/self/fd/3",
        "/proc/self/task/*/comm", "/proc/sys", "/proc/sys/kernel/**", "/proc/pressure/*",
        "/proc/self/**/tcp", "/proc/self/exe", "/proc/mounts", "/**/mem", "/*/1/status"}) {
    EXPECT_THAT(complaints("file { path: \"" + std::string(path) + "\" allow: READ }"),
                ::testing::IsEmpty());
  }
  EXPECT_THAT(complaints("file { path: \"/proc/self/mem\" deny: READ }"), ::testing::IsEmpty());
}

TEST(Load, AnEscapedDollarIsTheCharacter) {
  const PolicyPtr policy = must_load(R"(
    file { path: "/a\\$HOME" allow: READ }
    file { path: "/\\${B}" allow: READ }
    connect { abstract: "c\\$" }
    expect { connect: "abstract:c\\$" })");
  EXPECT_TRUE(allowed(policy, "/a$HOME"));
  EXPECT_TRUE(allowed(policy, "/${B}"));
}

// The text may be a hostile program's: neither the stack nor the time that it takes is its to
// choose.
TEST(Load, DeepTextIsRefused) {
  std::string deep = "name: \"x\"\n";
  for (int i = 0; i < 300'000; ++i) deep += "a{";
  EXPECT_THAT(complaints(deep), ElementsAre(HasSubstr("t.policy:2:34: error: messages nest")));
  EXPECT_THAT(complaints("# {{{{{{{{{{{{{{{{{{{{{{{{{{\n"
                         "file { path: \"/\\\"[[[[[[[[[[[[[[[[[[[[[[[[/a\" allow: READ }"),
              Not(Contains(HasSubstr("nest"))))
      << "comments and strings nest nothing";
}

TEST(Load, AFloodOfErrorsIsCut) {
  std::string flood;
  for (int i = 0; i < 100'000; ++i) flood += "a:1 ";
  EXPECT_EQ(complaints(flood).size(), 50U);
}

TEST(Load, ReportsAllErrorsInOrder) {
  EXPECT_THAT(complaints("file { path: \"a\" allow: READ }\n"
                         "limit { memory: \"x\" }\n"
                         "connect { }\n"
                         "bind { }\n"),
              ElementsAre(HasSubstr("t.policy:1:8"), HasSubstr("t.policy:2:9"),
                          HasSubstr("t.policy:3:1"), HasSubstr("t.policy:4:1")));
}

TEST(Load, ErrorsStayOnOneLineWhateverThePolicyHolds) {
  EXPECT_THAT(complaints("file { path: \"x\\n\\033[31m\" allow: READ }"),
              ElementsAre(HasSubstr("'x\\x0a\\x1b[31m' is relative")));
  EXPECT_THAT(complaints(std::string("\x1b[31m\n\xff\0", 8)), ElementsAre(HasSubstr("error: ")));
}

TEST(Load, SuperfluousRulesAreWarnings) {
  EXPECT_THAT(complaints("file { path: \"/a\" allow: READ }\nfile { path: \"/a\" allow: READ }"),
              ElementsAre("t.policy:2:1: warning: superfluous: t.policy:1 says the same; remove "
                          "the rule"));
  EXPECT_THAT(
      complaints("file { path: \"/a/b\" allow: STAT }\nfile { path: \"/a/**\" allow: READ }"),
      ElementsAre(HasSubstr("t.policy:1:1: warning: superfluous: t.policy:2")));
  EXPECT_THAT(complaints("file { path: \"/a/*\" deny: READ }\nfile { path: \"/a/b\" deny: STAT }"),
              ElementsAre(HasSubstr("t.policy:2:1: warning: superfluous: t.policy:1")));
}

TEST(Load, AFloodOfWarningsIsCut) {
  std::string text = "file { path: \"/a\" allow: READ }\n";
  for (int i = 0; i < 150; ++i) text += "file { path: \"/a\" allow: READ }\n";
  const std::vector<std::string> all = complaints(text);
  ASSERT_EQ(all.size(), 101U);
  EXPECT_EQ(all.back(), "warning: 50 more warnings; see to these first");
}

TEST(Load, AFileTooLargeIsRefused) {
  EXPECT_THAT(complaints(std::string(kMaxPolicySize + 1, '#')),
              ElementsAre("t.policy: error: larger than 16 MiB; split it"));
}

TEST(Load, AFloodOfVariablesIsCut) {
  std::string flood;
  for (int i = 0; i < 100'000; ++i) flood += "environment: \"A" + std::to_string(i) + "\"\n";
  EXPECT_THAT(complaints(flood),
              ElementsAre(HasSubstr("t.policy:1001:1: error: more than 1000 names")));
}

TEST(Load, AHundredThousandRulesLoad) {
  std::string text;
  for (int i = 0; i < 100'000; ++i) {
    text += "file { path: \"/no/such/user" + std::to_string(100'000 + i) + "*/x\" allow: READ }\n";
  }
  const PolicyPtr policy = must_load(text);
  EXPECT_TRUE(policy->decide_file("/no/such/user199999-1/x", kRead).allowed);
}

}  // namespace
}  // namespace torno::policy
