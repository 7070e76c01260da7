// A broker that dies, lies, dawdles or talks nonsense in the middle of a call.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <thread>

#include "tests/sandboxee/sealed_process.h"
#include "tests/sandboxee/stand_in_broker.h"
#include "tests/support/processes.h"
#include "tests/support/tornod_process.h"

namespace torno::test {
namespace {

Outcome run(const std::string& scenario, Fault fault) {
  const Playground playground;
  const StandInBroker broker(fault);
  return run_scenario(scenario, playground.place(), {{}, broker.socket()});
}

TEST(Fault, BrokerDiesInACall) {
  EXPECT_PASSES(run("every_open_is_eio", Fault::kHangUpOnRequest));
}

TEST(Fault, BrokerDiesAfterItsReply) {
  EXPECT_PASSES(run("the_queued_reply_is_taken", Fault::kHangUpAfterReply));
}

// A real one, killed as a crash would.
TEST(Fault, TornodIsKilledWhileACallWaits) {
  const Playground playground;
  const Place place = playground.place();
  TornodProcess tornod({{"test", playground.policy_text()}});
  std::thread killer([&] {
    const auto is_sealed = [&] {
      struct stat status{};
      return ::stat((place.writable() + "/sealed").c_str(), &status) == 0 && status.st_size > 0;
    };
    EXPECT_TRUE(eventually(is_sealed));
    tornod.kill();
  });
  EXPECT_PASSES(run_scenario("a_waiting_open_ends_with_its_broker", place,
                             {{"TORNO_BROKER=" + tornod.socket_path()}, -1}));
  killer.join();
}

TEST(Fault, ProcessEndsWithTheBroker) {
  const Outcome outcome = run("the_process_ends_with_its_broker", Fault::kKillOnRequest);
  EXPECT_TRUE(outcome.signal == SIGKILL || outcome.signal == SIGSYS) << outcome.errors;
}

TEST(Fault, NonsenseIsEio) {
  EXPECT_PASSES(run("every_open_is_eio", Fault::kGarbageReply));
  EXPECT_PASSES(run("every_open_is_eio", Fault::kHugeReply));
}

TEST(Fault, MissingPartsAreEio) {
  EXPECT_PASSES(run("every_open_is_eio", Fault::kNoFd));
  EXPECT_PASSES(run("stat_without_a_result_is_eio", Fault::kNone));
}

TEST(Fault, SuperfluousDescriptorsAreClosed) {
  EXPECT_PASSES(run("opens_work_and_leak_nothing", Fault::kTwoFds));
  EXPECT_PASSES(run("opens_are_refused_and_leak_nothing", Fault::kFdBesideError));
}

TEST(Fault, StaleRepliesAreDropped) {
  EXPECT_PASSES(run("opens_work_and_leak_nothing", Fault::kStaleReplies));
}

TEST(Fault, PendingReplies) {
  EXPECT_PASSES(run("opens_work_and_leak_nothing", Fault::kPending));
  EXPECT_PASSES(run("a_pending_open_is_interrupted", Fault::kPendingUntilCancel));
  EXPECT_PASSES(run("a_restarting_handler_does_not_end_a_pending_open", Fault::kSlow));
}

}  // namespace
}  // namespace torno::test
