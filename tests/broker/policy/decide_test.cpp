// decide_file by example: what rules allow, deny and lead to.
#include <gtest/gtest.h>

#include "broker/policy/automaton.h"
#include "broker/policy/policy.h"
#include "tests/broker/policy/policy_fixture.h"

namespace torno::policy {
namespace {

bool leads(const PolicyPtr& policy, std::string_view path) {
  return policy->decide_file(path, kStat).leads;
}

TEST(Decide, NothingIsAllowedByDefault) {
  const PolicyPtr policy = must_load("");
  EXPECT_FALSE(allowed(policy, "/", kStat));
  EXPECT_FALSE(allowed(policy, "/etc/passwd"));
  EXPECT_EQ(policy->decide_file("/etc/passwd", kRead).rule, nullptr);
}

TEST(Decide, ARuleIsAboutItsPathAlone) {
  const PolicyPtr policy = must_load(R"(file { path: "/data/a" allow: READ })");
  EXPECT_TRUE(allowed(policy, "/data/a"));
  EXPECT_FALSE(allowed(policy, "/data/a/b"));
  EXPECT_FALSE(allowed(policy, "/data/ab"));
  EXPECT_FALSE(allowed(policy, "/data"));
}

TEST(Decide, TwoStarsAreTheDirectoryAndAllBeneath) {
  const PolicyPtr policy = must_load(R"(file { path: "/data/**" allow: READ })");
  EXPECT_TRUE(allowed(policy, "/data"));
  EXPECT_TRUE(allowed(policy, "/data/a"));
  EXPECT_TRUE(allowed(policy, "/data/a/b/c/d"));
  EXPECT_FALSE(allowed(policy, "/database")) << "a sibling with the same beginning";
  EXPECT_FALSE(allowed(policy, "/"));
}

TEST(Decide, TwoStarsInTheMiddle) {
  const PolicyPtr policy = must_load(R"(file { path: "/src/**/*.h" allow: READ })");
  EXPECT_TRUE(allowed(policy, "/src/a.h"));
  EXPECT_TRUE(allowed(policy, "/src/x/y/a.h"));
  EXPECT_TRUE(allowed(policy, "/src/x.h/a.h"));
  EXPECT_FALSE(allowed(policy, "/src/x/a.c"));
  EXPECT_FALSE(allowed(policy, "/src/x.h/a.c"));
  EXPECT_TRUE(leads(policy, "/src/x/y"));
  EXPECT_TRUE(leads(policy, "/src"));
  EXPECT_FALSE(leads(policy, "/usr"));
}

TEST(Decide, GlobsStayInTheirComponent) {
  const PolicyPtr policy = must_load(R"(file { path: "/home/*/*.txt" allow: READ })");
  EXPECT_TRUE(allowed(policy, "/home/me/a.txt"));
  EXPECT_FALSE(allowed(policy, "/home/me/b/a.txt"));
  EXPECT_FALSE(allowed(policy, "/home/a.txt"));
}

TEST(Decide, GlobsWithTheSameBeginningAreToldApart) {
  const PolicyPtr policy = must_load(R"(
    file { path: "/d/user1*/x" allow: READ }
    file { path: "/d/user12*/x" allow: WRITE }
    file { path: "/d/user*-old/x" deny: READ }
    file { path: "/d/*backup*/x" deny: WRITE })");
  EXPECT_TRUE(allowed(policy, "/d/user12/x", kRead | kWrite));
  EXPECT_FALSE(allowed(policy, "/d/user13/x", kWrite));
  EXPECT_FALSE(allowed(policy, "/d/user12-old/x", kRead));
  EXPECT_TRUE(allowed(policy, "/d/user12-old/x", kWrite));
  EXPECT_FALSE(allowed(policy, "/d/user12-backup-1/x", kWrite));
}

TEST(Decide, DenyBeatsAllowWhateverTheOrder) {
  for (const char* text :
       {R"(file { path: "/a/**" allow: READ } file { path: "/a/b/**" deny: READ })",
        R"(file { path: "/a/b/**" deny: READ } file { path: "/a/**" allow: READ })"}) {
    const PolicyPtr policy = must_load(text);
    EXPECT_TRUE(allowed(policy, "/a/c"));
    EXPECT_FALSE(allowed(policy, "/a/b"));
    EXPECT_FALSE(allowed(policy, "/a/b/c"));
  }
  const PolicyPtr narrow = must_load(
      R"(file { path: "/a/**" deny: READ } file { path: "/a/b/c" allow: [READ, WRITE] })");
  EXPECT_FALSE(allowed(narrow, "/a/b/c")) << "a narrower allow does not reach through a deny";
  EXPECT_TRUE(allowed(narrow, "/a/b/c", kWrite));
}

TEST(Decide, AllWantedPermissionsAreNeeded) {
  const PolicyPtr policy = must_load(R"(
    file { path: "/a" allow: READ }
    file { path: "/a" allow: WRITE })");
  EXPECT_TRUE(allowed(policy, "/a", kRead | kWrite));
  EXPECT_FALSE(allowed(policy, "/a", kRead | kCreate));
  EXPECT_FALSE(allowed(policy, "/a", kNone)) << "to want nothing is a mistake of the caller";
}

TEST(Decide, EveryPermissionBringsStatAndNoOther) {
  for (const char* name : {"READ", "WRITE", "CREATE", "EXECUTE", "STAT"}) {
    const PolicyPtr policy = must_load(R"(file { path: "/a" allow: )" + std::string(name) + " }");
    int count = 0;
    for (const Permissions one : {kRead, kWrite, kCreate, kExecute, kStat}) {
      count += allowed(policy, "/a", one) ? 1 : 0;
    }
    EXPECT_TRUE(allowed(policy, "/a", kStat)) << name;
    EXPECT_EQ(count, std::string(name) == "STAT" ? 1 : 2) << name;
  }
}

TEST(Decide, DenyingReadHidesTheFile) {
  const PolicyPtr policy = must_load(R"(
    file { path: "/etc/**" allow: [READ, WRITE] }
    file { path: "/etc/private/**" deny: READ }
    file { path: "/etc/quiet" deny: STAT })");
  EXPECT_FALSE(allowed(policy, "/etc/private/key", kStat));
  EXPECT_FALSE(leads(policy, "/etc/private"));
  EXPECT_TRUE(allowed(policy, "/etc/private/key", kWrite));
  EXPECT_FALSE(allowed(policy, "/etc/quiet", kStat));
  EXPECT_TRUE(allowed(policy, "/etc/quiet", kRead));
}

TEST(Decide, SpecialFilesNeedTheirType) {
  const PolicyPtr policy = must_load(R"(
    file { path: "/a/**" allow: READ }
    file { path: "/a/fifo" type: FIFO allow: READ }
    file { path: "/a/dev/**" type: [CHARACTER_DEVICE, BLOCK_DEVICE] allow: READ }
    file { path: "/a/dev/sd*" type: BLOCK_DEVICE deny: WRITE })");
  EXPECT_TRUE(allowed(policy, "/a/fifo", kRead | kFifo));
  EXPECT_FALSE(allowed(policy, "/a/other", kRead | kFifo));
  EXPECT_FALSE(allowed(policy, "/a/fifo", kRead | kSocket));
  EXPECT_TRUE(allowed(policy, "/a/dev/null", kRead | kCharacterDevice));
  EXPECT_FALSE(allowed(policy, "/a/dev/sda", kRead | kBlockDevice));
  EXPECT_TRUE(allowed(policy, "/a/dev/sda", kRead)) << "the deny rule names WRITE and the type";
}

TEST(Decide, DirectoriesOnTheWayLead) {
  const PolicyPtr policy = must_load(R"(
    file { path: "/usr/share/fonts/a" allow: READ }
    file { path: "/home/*/docs/x" allow: READ }
    file { path: "/secret/**" deny: READ }
    file { path: "/secret/way/x" allow: EXECUTE }
    file { path: "/only/denied" deny: WRITE })");
  for (const char* way :
       {"/", "/usr", "/usr/share", "/usr/share/fonts", "/home", "/home/me", "/home/me/docs"}) {
    EXPECT_TRUE(leads(policy, way)) << way;
    EXPECT_FALSE(allowed(policy, way, kStat)) << way;
  }
  EXPECT_FALSE(leads(policy, "/usr/share/fonts/b"));
  EXPECT_FALSE(leads(policy, "/usr/share/fonts/a/b"));
  EXPECT_FALSE(leads(policy, "/usr/lib"));
  EXPECT_FALSE(leads(policy, "/home/me/other"));
  EXPECT_FALSE(leads(policy, "/secret"));
  EXPECT_FALSE(leads(policy, "/secret/way"));
  EXPECT_FALSE(leads(policy, "/only"));
}

TEST(Decide, TheWayToAUnixSocketLeads) {
  const PolicyPtr policy = must_load(R"(connect { unix: "/srv/fontd/*.sock" })");
  EXPECT_TRUE(leads(policy, "/srv/fontd"));
  EXPECT_TRUE(leads(policy, "/srv/fontd/1.sock"));
  EXPECT_FALSE(allowed(policy, "/srv/fontd/1.sock", kStat));
  EXPECT_FALSE(leads(policy, "/srv/other"));
}

// Who passes on a path that is not canonical has lost already: it must not be made worse here.
TEST(Decide, APathThatIsNotCanonicalIsDenied) {
  const PolicyPtr policy = must_load(R"(file { path: "/**" allow: READ })");
  ASSERT_TRUE(allowed(policy, "/a/b"));
  for (const std::string path :
       {"", "a", "a/b", "//", "/a/", "/a//b", "/a/..", "/../a", "/a/./b", "/."}) {
    EXPECT_FALSE(allowed(policy, path)) << path;
    EXPECT_FALSE(leads(policy, path)) << path;
  }
  EXPECT_FALSE(allowed(policy, std::string_view("/a\0b", 4)));
  EXPECT_TRUE(allowed(policy, "/..."));
  EXPECT_TRUE(allowed(policy, "/.a/..b"));
}

TEST(Decide, NamesAreBytes) {
  const PolicyPtr policy =
      must_load(R"(file { path: "/latin-\344" allow: READ } file { path: "/x/*" allow: READ })");
  EXPECT_TRUE(allowed(policy, "/latin-\344"));
  EXPECT_FALSE(allowed(policy, "/latin-\303\244"));
  EXPECT_TRUE(allowed(policy, "/x/\xff\x01 \n"));
}

TEST(Decide, NamesTheRuleBehindTheVerdict) {
  const PolicyPtr policy = must_load(
      "file { path: \"/a/**\" allow: READ }\n"
      "file { path: \"/a/b\" allow: [READ, WRITE] }\n"
      "file { path: \"/a/c\" deny: WRITE }\n");
  const auto line = [&](std::string_view path, Permissions wanted) {
    const RuleSource* rule = policy->decide_file(path, wanted).rule;
    return rule == nullptr ? 0 : rule->line;
  };
  EXPECT_EQ(line("/a/x", kRead), 1);
  EXPECT_EQ(line("/a/b", kRead), 1);
  EXPECT_EQ(line("/a/b", kWrite), 2);
  EXPECT_EQ(line("/a/c", kWrite), 3);
  EXPECT_EQ(line("/a/c", kRead), 1);
  EXPECT_EQ(line("/a/x", kWrite), 0);
  EXPECT_EQ(policy->decide_file("/a/x", kRead).rule->file, "t.policy");
  EXPECT_EQ(policy->decide_file("/a/x", kRead).rule->column, 1);
}

// More half-matching patterns than the walk has room for: denied, and the verdict says why.
TEST(Decide, TooManyPatternsAtOnceAreDenied) {
  std::string text;
  for (std::size_t i = 0; i < 200; ++i) {
    const std::string n = std::to_string(i);
    text += "file { path: \"/" + std::string(i, '?') + "*/x" + n + "\" allow: READ }\n";
    text += "file { path: \"/" + std::string(i, 'a') + "*a/y" + n + "\" allow: READ }\n";
  }
  static_assert(kMaxActive < 400);
  const Loaded loaded = load_text(text, "t.policy", {});
  ASSERT_NE(loaded.policy, nullptr);
  EXPECT_TRUE(allowed(loaded.policy, "/b/x1"));
  const Verdict verdict = loaded.policy->decide_file("/" + std::string(240, 'a') + "/x1", kRead);
  EXPECT_FALSE(verdict.allowed);
  EXPECT_FALSE(verdict.leads);
  ASSERT_NE(verdict.rule, nullptr);
  EXPECT_EQ(verdict.rule->file, "<too many wildcard rules match this path>");
}

TEST(Stack, TheVerdictIsTheIntersection) {
  PolicyStack stack;
  EXPECT_FALSE(stack.decide_file("/a", kStat).allowed) << "no policy at all allows nothing";
  EXPECT_FALSE(stack.decide_connect({}).allowed);

  stack.push(must_load(R"(name: "one" file { path: "/a/**" allow: [READ, WRITE] })"));
  EXPECT_TRUE(stack.decide_file("/a/b/c", kWrite).allowed);
  EXPECT_EQ(stack.name(), "one");

  stack.push(must_load(R"(name: "two" file { path: "/a/b/**" allow: READ }
                          file { path: "/z" allow: READ })"));
  EXPECT_TRUE(stack.decide_file("/a/b/c", kRead).allowed);
  EXPECT_FALSE(stack.decide_file("/a/b/c", kWrite).allowed);
  EXPECT_FALSE(stack.decide_file("/a/c", kRead).allowed);
  EXPECT_FALSE(stack.decide_file("/z", kRead).allowed) << "a later policy never widens";
  EXPECT_EQ(stack.name(), "one+two");

  EXPECT_TRUE(stack.decide_file("/a", kStat).leads) << "allowed by one, on the way of the other";
  EXPECT_TRUE(stack.decide_file("/", kStat).leads);
  EXPECT_FALSE(stack.decide_file("/a/c", kStat).leads);
  EXPECT_FALSE(stack.decide_file("/z", kStat).leads);
}

}  // namespace
}  // namespace torno::policy
