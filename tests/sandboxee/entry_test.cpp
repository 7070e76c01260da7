// How torno_enter fails, and the broker it starts itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <string>

#include "tests/sandboxee/sealed_process.h"
#include "tests/sandboxee/stand_in_broker.h"
#include "tests/support/tornod_process.h"

namespace torno::test {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;

class Entry : public testing::Test {
 protected:
  Playground playground_;

  std::string report(const std::string& scenario, const Circumstances& circumstances) {
    const Outcome outcome = run_scenario(scenario, playground_.place(), circumstances);
    EXPECT_PASSES(outcome);
    return outcome.errors;
  }
  std::string report_with(const std::string& variable) {
    return report("enter_reports", {{variable}, -1});
  }
  std::string report_fault(Fault fault) {
    const StandInBroker broker(fault);
    return report("enter_reports", {{}, broker.socket()});
  }
};

TEST_F(Entry, Arguments) {
  EXPECT_EQ(report("enter_with_bad_arguments_reports", {}),
            "-1 EINVAL: no policy is named\n"
            "-1 EINVAL: no policy is named\n"
            "-1 EINVAL: the policy's name is too long\n"
            "-1 EINVAL: unknown flags 0x2\n");
}

TEST_F(Entry, Variables) {
  EXPECT_PASSES(run_scenario("variables_are_checked", playground_.place(), {}));
}

TEST_F(Entry, NoBroker) {
  EXPECT_THAT(report("enter_without_embedding_reports", {}),
              HasSubstr("-1 ENOENT: no broker: TORNO_FD and TORNO_BROKER are not set"));
}

TEST_F(Entry, DeadSocketPath) {
  EXPECT_THAT(report_with("TORNO_BROKER=/nowhere/broker.sock"),
              HasSubstr("-1 ENOENT: cannot connect to the broker at /nowhere/broker.sock"));
  EXPECT_THAT(report_with("TORNO_BROKER=" + std::string(200, 'x')), HasSubstr("-1 ENAMETOOLONG"));
  EXPECT_THAT(report_with("TORNO_BROKER=" + playground_.place().file()),
              HasSubstr("-1 ECONNREFUSED"));
}

TEST_F(Entry, BadInheritedDescriptor) {
  for (const char* number : {"", "x", "2", "999", "-1", "99999999999999999999"}) {
    EXPECT_THAT(report_with("TORNO_FD=" + std::string(number)),
                HasSubstr("not the number of a connected SOCK_SEQPACKET socket"));
  }
}

TEST_F(Entry, TornodThatCannotBeExecuted) {
  EXPECT_THAT(report_with("TORNO_TORNOD=/nowhere/tornod"),
              HasSubstr("-1 ENOENT: cannot execute the broker /nowhere/tornod: No such file"));
  EXPECT_THAT(report_with("TORNO_TORNOD=" + playground_.place().file()),
              HasSubstr("-1 EACCES: cannot execute the broker"));
  EXPECT_THAT(report_with("TORNO_TORNOD=/bin/true"), HasSubstr("-1 EIO: the broker "));
}

TEST_F(Entry, ThreadsAndDescriptors) {
  EXPECT_THAT(report("enter_with_threads_reports", {}),
              ContainsRegex("-1 EBUSY: the process has [0-9]+ threads"));
  EXPECT_THAT(report("enter_under_a_low_limit_reports", {}),
              HasSubstr("-1 EMFILE: the hard RLIMIT_NOFILE is 1024"));
  EXPECT_THAT(report("enter_with_a_reserved_number_in_use_reports", {}),
              HasSubstr("-1 EMFILE: descriptor 4095 is in use"));
}

TEST_F(Entry, Refusals) {
  EXPECT_EQ(report_fault(Fault::kRefuse), "-1 ECONNREFUSED: no policy \"test\"?forged line\n");
  EXPECT_EQ(report_fault(Fault::kRefuseVersion),
            "-1 EPROTO: the broker speaks wire versions 7 to 9, this library 2\n");
}

TEST_F(Entry, BrokenHandshakes) {
  EXPECT_THAT(report_fault(Fault::kHangUpOnHello), HasSubstr("-1 EIO: the broker closed"));
  EXPECT_THAT(report_fault(Fault::kGarbage), HasSubstr("-1 EPROTO: what answers is not a broker"));
  EXPECT_THAT(report_fault(Fault::kOtherVersion), HasSubstr("-1 EPROTO: the broker chose wire"));
  EXPECT_THAT(report_fault(Fault::kNoProgram), HasSubstr("-1 EPROTO: the broker's answer came"));
  EXPECT_THAT(report_fault(Fault::kUnsealedProgram), HasSubstr("-1 EPROTO: the broker sent a fil"));
  EXPECT_THAT(report_fault(Fault::kEmptyProgram), HasSubstr("-1 EPROTO: the broker sent a filter"));
  EXPECT_THAT(report_fault(Fault::kNoFilterAsked), HasSubstr("-1 EPROTO: the broker asks for no"));
  EXPECT_THAT(report_fault(Fault::kNoChannel), HasSubstr("-1 EMFILE: the broker gave no channel"));
  EXPECT_THAT(report_fault(Fault::kHangUpOnChannel), HasSubstr("-1 EIO: the broker gave no chan"));
}

TEST_F(Entry, BrokerThatDoesNotAnswer) {
  EXPECT_THAT(report_fault(Fault::kMute),
              HasSubstr("-1 EIO: the broker did not answer within 10 seconds: it is busy or out "
                        "of descriptors, as its log then says"));
}

TEST_F(Entry, FailureLeavesNothingBehind) {
  const StandInBroker broker(Fault::kHangUpOnChannel);
  EXPECT_PASSES(run_scenario("failing_to_enter_leaves_no_descriptor", playground_.place(),
                             {{}, broker.socket()}));
}

TEST_F(Entry, UnknownPolicy) {
  const TornodProcess tornod({});
  EXPECT_THAT(report_with("TORNO_BROKER=" + tornod.socket_path()), HasSubstr("-1 ECONNREFUSED: "));
}

TEST_F(Entry, BrokerOfOnesOwn) {
  const std::string policy = playground_.place().directory + "/own.policy";
  std::ofstream(policy) << "file { path: \"${PLACE}/allowed/**\" allow: READ }\n";
  EXPECT_PASSES(run_scenario("a_broker_of_ones_own", playground_.place(),
                             {{"TORNO_TORNOD=" + tornod_path(), "TEST_POLICY=" + policy}, -1}));
}

TEST_F(Entry, SecondPolicyByARelativePath) {
  const std::string directory = playground_.place().directory;
  const auto write = [&](const std::string& name, const std::string& text) {
    std::ofstream(directory + "/" + name) << text;
  };
  write("wide.policy", "file { path: \"" + directory + "/**\" allow: READ }\n");
  write("mine.policy", "file { path: \"" + directory + "/mine.policy\" allow: READ }\n");
  write("typo.policy", "name: \"x\"\nfil { }\n");
  EXPECT_PASSES(run_scenario("a_second_policy_named_by_a_relative_path", playground_.place(),
                             {{"TORNO_TORNOD=" + tornod_path()}, -1}));
}

}  // namespace
}  // namespace torno::test
