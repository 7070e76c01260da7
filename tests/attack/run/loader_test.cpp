// `ld.so FILE`: the loader may be executed, and maps whatever may be read. READ decides what it
// runs, and what it runs is confined as everything is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/programs/workplace.h"

namespace torno::test {
namespace {

using programs::Outcome;
using programs::Words;
using programs::Workplace;

class AttackLoader : public testing::TestWithParam<const char*> {
 protected:
  AttackLoader() {
    for (const char* folder : {"programs", "secret"}) place_.make_folder(folder);
    place_.write("secret/key", "the secret\n");
    place_.write("public", "for everybody\n");
    std::filesystem::copy_file("/usr/bin/cat", place_.path("programs/cat"));
  }
  Words options(const std::string& rules) {
    const std::string folder = place_.path();
    return {"--policy",
            place_.write("loader.policy", "include: \"base\"\nfile { path: \"" + folder +
                                              "/public\" allow: READ }\n" + rules + GetParam())};
  }
  Words run(const std::string& file) {
    return {"/lib64/ld-linux-x86-64.so.2", place_.path("programs/cat"), file};
  }
  std::string rule(const std::string& name, const std::string& verdict) {
    return "file { path: \"" + place_.path(name) + "\" " + verdict + " }\n";
  }
  Workplace place_;
};

TEST_P(AttackLoader, RunsWhatMayBeRead) {
  const Words readable = options(rule("programs/**", "allow: READ"));
  EXPECT_EQ(place_.inside(readable, run("public")).out, "for everybody\n");
  place_.expect_refused(readable, run("secret/key"), "the secret");
}

TEST_P(AttackLoader, RunsNothingElse) {
  place_.expect_refused(options(""), run("public"), "for everybody");
  place_.expect_refused(
      options(rule("programs/**", "allow: READ") + rule("programs/cat", "deny: READ")),
      run("public"), "for everybody");
}

INSTANTIATE_TEST_SUITE_P(Walls, AttackLoader, testing::Values("", "wall: LANDLOCK\n"));

}  // namespace
}  // namespace torno::test
