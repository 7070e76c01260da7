// Compilers, make and git, as far as no file has to be removed or renamed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/programs/workplace.h"

namespace torno::programs {
namespace {

constexpr const char* kSource =
    "#include <stdio.h>\nint main(void) { puts(GREETING); return 0; }\n";

TEST(Programs, GccToAssembly) {
  TORNO_NEEDS("gcc");
  Workplace place;
  place.write("hello.c", kSource);
  place.write("secret.h", "#error the secret of another\n");
  const Words options = {"--policy", "make", "--read", "hello.c"};
  place.expect_same(options,
                    {"gcc", "-DGREETING=\"hello\"", "-O2", "-Wall", "-S", "-o", "-", "hello.c"});
  place.expect_same(options, {"gcc", "-DGREETING=\"hello\"", "-E", "hello.c"});
  const Words wrong = {"gcc", "-fsyntax-only", "-DGREETING=hello", "hello.c"};
  EXPECT_EQ(place.inside(options, wrong), place.outside(wrong));

  const Words hostile = {"gcc",      "-fsyntax-only", "-DGREETING=\"x\"",
                         "-include", "secret.h",      "hello.c"};
  EXPECT_THAT(place.outside(hostile).err, testing::HasSubstr("the secret of another"));
  EXPECT_THAT(place.inside(options, hostile).err,
              testing::Not(testing::HasSubstr("the secret of another")));
}

// Sources are compiled and linked whole. What is missing to execute the outcome is chmod(2), and to
// leave no temporary file behind unlink(2).
TEST(Programs, GccLinks) {
  TORNO_NEEDS("gcc");
  Workplace place;
  place.write("hello.c", kSource);
  place.make_folder("out");
  const Words options = {"--policy", "make", "--read", ".",
                         "--write",  "out",  "--env",  "TMPDIR=" + place.path("out")};
  const Outcome built =
      place.inside(options, {"gcc", "-DGREETING=\"hello\"", "-o", "out/hello", "hello.c"});
  EXPECT_EQ(built, (Outcome{0, "", ""}));
  ASSERT_EQ(::chmod(place.path("out/hello").c_str(), 0755), 0);
  EXPECT_EQ(place.outside({"out/hello"}), (Outcome{0, "hello\n", ""}));
}

TEST(Programs, MakeStartsCompilers) {
  TORNO_NEEDS("make");
  TORNO_NEEDS("gcc");
  Workplace place;
  place.write("hello.c", kSource);
  place.make_folder("out");
  place.write("Makefile",
              "all: one.s two.s\n\t@cat $(^:%=out/%) | grep string; echo built: $^\n"
              "%.s: hello.c\n\t@gcc -DGREETING=\\\"$*\\\" -S -o out/$@ $<\n");
  place.expect_same({"--policy", "make", "--read", ".", "--write", "out"}, {"make", "-j2"});
}

class Repository : public Workplace {
 public:
  Repository() {
    write("script",
          "set -e; git init -q -b main repository; cd repository\n"
          "git config user.name Somebody; git config user.email somebody@example.org\n"
          "echo one > file; git add file; git commit -q -m first\n"
          "echo two >> file; git commit -q -a -m second; echo three >> file\n");
    set_variables({"GIT_AUTHOR_DATE=1700000000 +0000", "GIT_COMMITTER_DATE=1700000000 +0000"});
    EXPECT_EQ(outside({"sh", "script"}).err, "");
  }
};

TEST(Programs, GitLooksAtARepository) {
  TORNO_NEEDS("git");
  const Repository place;
  const Words options = {"--policy", "git",       "--set", "HOME=" + place.path(),
                         "--read",   "repository"};
  for (const Words& command :
       {Words{"log", "--patch", "--stat"}, Words{"diff"}, Words{"show", "HEAD~1:file"},
        Words{"blame", "file"}, Words{"branch", "--verbose"}, Words{"fsck"},
        Words{"grep", "-n", "two"}, Words{"--no-optional-locks", "status"}}) {
    Words words = {"git", "-C", "repository"};
    words.insert(words.end(), command.begin(), command.end());
    place.expect_same(options, words);
  }
  place.expect_refused({"--policy", "git"}, {"git", "-C", "repository", "log"}, "Somebody");
}

}  // namespace
}  // namespace torno::programs
