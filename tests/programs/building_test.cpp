// Compilers, make and git.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
  EXPECT_EQ(place.outside({"out/hello"}), (Outcome{0, "hello\n", ""}));
  EXPECT_EQ(place.outside({"ls", "out"}), (Outcome{0, "hello\n", ""}))
      << "no temporary file is left";
}

// Built, linked, executed where a rule says that it may be, cleaned.
TEST(Programs, MakeBuildsAProject) {
  TORNO_NEEDS("make");
  TORNO_NEEDS("gcc");
  Workplace place;
  place.make_folder("project");
  place.make_folder("project/tmp");
  place.make_folder("project/bin");
  place.write("project/main.c", kSource);
  place.write("project/Makefile",
              "bin/hello: main.o\n\t@gcc -o $@ $^\n"
              "%.o: %.c\n\t@gcc -DGREETING=\\\"built\\\" -c -o $@ $<\n"
              "check: bin/hello\n\t@bin/hello\n"
              "clean:\n\t@rm -f bin/hello *.o\n");
  const std::string policy =
      place.write("own.policy", "include: \"make\"\nfile { path: \"" + place.path("project/bin") +
                                    "/**\" allow: [READ, WRITE, CREATE, EXECUTE] }\n");
  const Words options = {"--policy", policy,  "--write",
                         "project",  "--env", "TMPDIR=" + place.path("project/tmp")};
  for (const char* goal : {"check", "bin/hello", "clean"}) {
    place.expect_same(options, {"make", "-B", "-s", "-C", "project", goal});
  }
  EXPECT_EQ(place.outside({"ls", "project"}).out, "Makefile\nbin\nmain.c\ntmp\n");
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

// The clone and what is committed in it are the very ones that git makes outside.
TEST(Programs, GitClonesAndCommits) {
  TORNO_NEEDS("git");
  const Repository place;
  place.make_folder("outside");
  place.make_folder("inside");
  const std::string script =
      "cd \"$0\" && git clone -q ../repository clone && cd clone && "
      "git config user.name Somebody && git config user.email somebody@example.org && "
      "echo four > new && git mv file moved && git add new && git commit -q -m third && "
      "git checkout -q -b branch HEAD~1 && git checkout -q main && git branch -D -q branch && "
      "git status --short && git log --stat --format='%H %s' && git gc -q && git fsck";
  const Words options = {
      "--policy", "git",        "--policy", "bash",  "--set", "HOME=" + place.path(),
      "--read",   "repository", "--write",  "inside"};
  const Outcome expected = place.outside({"sh", "-c", script, "outside"});
  EXPECT_EQ(expected.status, 0) << expected.err;
  EXPECT_EQ(place.inside(options, {"sh", "-c", script, "inside"}), expected);
}

}  // namespace
}  // namespace torno::programs
