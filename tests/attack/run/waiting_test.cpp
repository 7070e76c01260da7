// A program whose threads wait for files as long as they like: the calls that the broker does by
// steering a thread have turns of their own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/programs/workplace.h"

namespace torno::test {
namespace {

using programs::Outcome;
using programs::Workplace;

TEST(AttackWaiting, OpensThatNobodyAnswers) {
  const Workplace place;
  place.make_folder("folder");
  ASSERT_EQ(::mkfifo(place.path("fifo").c_str(), 0600), 0);
  const std::string policy =
      place.write("waiting.policy", "include: \"base\"\nfile { path: \"" + place.path("fifo") +
                                        "\" type: FIFO allow: READ }\nfile { path: \"" +
                                        place.path("folder") + "\" allow: READ }\n");
  // More than may wait; some are refused, which the program looks for.
  const Outcome inside = place.inside(
      {"--policy", policy},
      {TORNO_BINARY_DIR "/tests/waiting_openers", place.path("fifo"), "200", place.path("folder")});
  EXPECT_EQ(inside, (Outcome{0, "chdir: yes, O_PATH: yes\n", ""}));
}

}  // namespace
}  // namespace torno::test
