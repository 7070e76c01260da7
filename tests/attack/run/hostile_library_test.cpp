// A hostile library in a program that `torno run` starts: what runs in it before main, and before
// anything of Torno's, is confined as the rest is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/programs/workplace.h"

namespace torno::test {
namespace {

using programs::Outcome;
using programs::Words;
using programs::Workplace;
using testing::HasSubstr;
using testing::Not;

const std::string kLibrary = TORNO_BINARY_DIR "/tests/libhostile.so";
constexpr const char* kProgram = "/usr/bin/true";

class AttackHostileLibrary : public testing::TestWithParam<const char*> {
 protected:
  AttackHostileLibrary() {
    place_.make_folder("secret");
    place_.write("secret/key", "the secret\n");
  }
  Words options(const std::string& rules) {
    return {"--policy",
            place_.write("library.policy", "include: \"base\"\nfile { path: \"" + kLibrary +
                                               "\" allow: READ }\n" + rules)};
  }
  void expect_refused(const std::string& variable, const Words& runs) {
    const std::string setting = variable + "=" + kLibrary;
    const Outcome outside = place_.outside({"/usr/bin/env", setting, kProgram});
    Words with = options(GetParam());
    with.emplace_back("--env");
    with.push_back(setting);
    const Outcome inside = place_.inside(with, {kProgram});
    for (const std::string& who : runs) {
      EXPECT_THAT(outside.out, HasSubstr(who + " got it\n")) << outside.err;
      EXPECT_THAT(inside.out, HasSubstr(who + " did not get it\n")) << inside.err;
      EXPECT_THAT(inside.out, Not(HasSubstr(who + " got it\n")));
    }
  }
  Workplace place_;
};

TEST_P(AttackHostileLibrary, Preloaded) {
  expect_refused("LD_PRELOAD", {"resolver", "constructor"});
}

TEST_P(AttackHostileLibrary, Auditing) {
  expect_refused("LD_AUDIT", {"resolver", "constructor", "auditor"});
}

// Beneath Torno's own, which is preloaded too.
TEST_P(AttackHostileLibrary, PreloadedBesideTornos) {
  Words with = options(GetParam());
  for (const char* word : {"--mode", "trap", "--env"}) with.emplace_back(word);
  with.push_back("LD_PRELOAD=" + kLibrary);
  const Outcome inside = place_.inside(with, {kProgram});
  EXPECT_THAT(inside.out, Not(HasSubstr(" got it\n")));
  EXPECT_THAT(inside.out, HasSubstr("resolver did not get it\n")) << inside.err;
}

INSTANTIATE_TEST_SUITE_P(Walls, AttackHostileLibrary, testing::Values("", "wall: LANDLOCK\n"));

// What the caller has in its environment is not for the program; unless somebody says so.
TEST(AttackEnvironment, LoaderVariablesOfTheCaller) {
  constexpr const char* kTells =
      "print join ',', map { $ENV{$_} // 'none' } qw(LD_PRELOAD LD_AUDIT)";
  Workplace place;
  const std::string empty = place.write("empty.so", "");  // which the loader only complains about
  place.set_variables({"LD_PRELOAD=" + empty, "LD_AUDIT=" + empty});
  const Words command = {"/usr/bin/perl", "-e", kTells};
  EXPECT_EQ(place.outside(command).out, empty + "," + empty);
  const Words options = {"--profile", "NO_NETWORK"};
  EXPECT_EQ(place.inside(options, command).out, "none,none");
  EXPECT_EQ(place.inside({"--profile", "NO_NETWORK", "--env", "LD_PRELOAD"}, command).out,
            empty + ",none");
}

}  // namespace
}  // namespace torno::test
