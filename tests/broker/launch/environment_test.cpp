// What a launched program gets of its caller's environment.
#include "broker/launch/environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace torno::launch {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Strings = std::vector<std::string>;

Strings made(const Strings& names, const Strings& caller, const Strings& options = {}) {
  policy::PolicyFile policy;
  for (const std::string& name : names) policy.add_environment(name);
  auto result = make_environment(policy, caller, options);
  EXPECT_TRUE(result) << result.error().message;
  return result ? *result : Strings{};
}

std::string refusal(const Strings& options) {
  const auto result = make_environment({}, {}, options);
  return result ? "none" : result.error().message;
}

const Strings kUnsafe = {
    "LD_PRELOAD=/x.so", "LD_AUDIT=/x.so",     "LD_LIBRARY_PATH=/x", "LD_=x",
    "GLIBC_TUNABLES=x", "GCONV_PATH=/x",      "GETCONF_DIR=/x",     "HOSTALIASES=/x",
    "LOCALDOMAIN=x",    "LOCPATH=/x",         "MALLOC_TRACE=/x",    "NIS_PATH=/x",
    "NLSPATH=/x",       "RESOLV_HOST_CONF=x", "RES_OPTIONS=x",      "TZDIR=/x"};

TEST(Environment, StaysWithoutWhatLoadsCode) {
  Strings caller = kUnsafe;
  caller.insert(caller.begin() + 3, "PATH=/bin");
  caller.insert(caller.end(), {"TMPDIR=/t", "LDFLAGS=-s", "EMPTY=", "BASH_FUNC_f%%=() {\n}"});
  EXPECT_THAT(made({}, caller), ElementsAre("PATH=/bin", "TMPDIR=/t", "LDFLAGS=-s",
                                            "EMPTY=", "BASH_FUNC_f%%=() {\n}"));
}

TEST(Environment, OnlyWhatThePolicyNamesStays) {
  const Strings caller = {"PATH=/bin", "LANG=C", "LC_ALL=C", "LC_TIME=C", "HOME=/h", "PATHS=x"};
  EXPECT_THAT(made({"PATH", "LC_*"}, caller), ElementsAre("PATH=/bin", "LC_ALL=C", "LC_TIME=C"));
  EXPECT_THAT(made({"NONE"}, caller), IsEmpty());
  EXPECT_EQ(made({"*"}, caller), caller);
}

TEST(Environment, WhatLoadsCodeHasToBeNamed) {
  const Strings caller = {"LANG=C", "LD_PRELOAD=/x.so", "LD_DEBUG=all", "GCONV_PATH=/x",
                          "TZDIR=/z"};
  EXPECT_THAT(made({"*"}, caller), ElementsAre("LANG=C"));
  EXPECT_THAT(made({"L*", "G*", "TZ*"}, caller), ElementsAre("LANG=C"));
  EXPECT_THAT(made({"LD_PRELOAD"}, caller), ElementsAre("LD_PRELOAD=/x.so"));
  EXPECT_THAT(made({"LD_*"}, caller), ElementsAre("LD_PRELOAD=/x.so", "LD_DEBUG=all"));
  EXPECT_THAT(made({"LD_D*", "*"}, caller), ElementsAre("LANG=C", "LD_DEBUG=all"));
  EXPECT_THAT(made({"GCONV_PATH", "TZDIR"}, caller), ElementsAre("GCONV_PATH=/x", "TZDIR=/z"));
}

TEST(Environment, TheWayToAnotherBrokerNeverStays) {
  const Strings caller = {"TORNO_FD=3", "TORNO_BROKER=/x", "TORNO_=x", "TORNO=x", "TORNOX=x"};
  EXPECT_THAT(made({}, caller), ElementsAre("TORNO=x", "TORNOX=x"));
  EXPECT_THAT(made({"*"}, caller), ElementsAre("TORNO=x", "TORNOX=x"));
  EXPECT_THAT(made({"TORNO*"}, caller), ElementsAre("TORNO=x", "TORNOX=x"));
  // Such a policy does not load; nor would it help.
  EXPECT_THAT(made({"TORNO_FD", "TORNO_*"}, caller), IsEmpty());
  EXPECT_THAT(refusal({"TORNO_FD=3"}), HasSubstr("'TORNO_FD' is Torno's own"));
  EXPECT_THAT(refusal({"TORNO_BROKER"}), HasSubstr("'TORNO_BROKER' is Torno's own"));
}

TEST(Environment, OptionsGoBeforeThePolicy) {
  const Strings caller = {"PATH=/bin", "LD_PRELOAD=/x.so", "HOME=/h"};
  EXPECT_THAT(made({"PATH"}, caller, {"HOME", "NEW=1=2"}),
              ElementsAre("PATH=/bin", "HOME=/h", "NEW=1=2"));
  EXPECT_THAT(made({"PATH"}, caller, {"PATH=/opt"}), ElementsAre("PATH=/opt"));
  EXPECT_THAT(made({}, caller, {"LD_PRELOAD"}),
              ElementsAre("PATH=/bin", "LD_PRELOAD=/x.so", "HOME=/h"));
  EXPECT_THAT(made({"NONE"}, caller, {"LD_PRELOAD=/y.so"}), ElementsAre("LD_PRELOAD=/y.so"));
  EXPECT_THAT(made({"NONE"}, caller, {"MISSING"}), IsEmpty());
  EXPECT_THAT(made({}, {}, {"EMPTY="}), ElementsAre("EMPTY="));
}

TEST(Environment, OfSeveralTheCallersFirstAndTheLastOptionCount) {
  EXPECT_THAT(made({}, {"A=1", "B=2", "A=3"}), ElementsAre("A=1", "B=2"));
  EXPECT_THAT(made({}, {"A=0"}, {"A=1", "A=2"}), ElementsAre("A=2"));
  EXPECT_THAT(made({}, {"A=0"}, {"A=1", "A"}), ElementsAre("A=0"));
  EXPECT_THAT(made({}, {"A=0"}, {"A", "A=1"}), ElementsAre("A=1"));
}

TEST(Environment, WhatIsNoVariableIsLeftOut) {
  EXPECT_THAT(made({}, {"", "=x", "NOVALUE", "A=1"}), ElementsAre("A=1"));
}

TEST(Environment, AnOptionNamesAVariable) {
  using namespace std::string_literals;
  for (const char* option : {"", "=x", "1A=x", "A-B=x", "LC_*", "A B", "A\n=x"}) {
    EXPECT_THAT(refusal({option}), HasSubstr("is no variable's name")) << option;
  }
  EXPECT_THAT(refusal({"A\n=x"}), HasSubstr("'A\\x0a'"));
  EXPECT_THAT(refusal({"A=x\0LD_PRELOAD=y"s}), HasSubstr("holds a NUL"));
  EXPECT_EQ(refusal({"_a1=\n"}), "none");
}

}  // namespace
}  // namespace torno::launch
