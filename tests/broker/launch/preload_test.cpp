// Which programs can have a trap filter on top, and how the library comes into them.
#include "broker/launch/preload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "broker/policy/loader.h"
#include "tests/broker/launch/program_fixture.h"

namespace torno::launch::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Strings = std::vector<std::string>;

std::string why_not(const std::string& rules, const std::string& program = "/bin/true") {
  const policy::Loaded loaded = policy::load_text(rules, "test.policy", {});
  const Found found = find_program(program, {}, AT_FDCWD);
  EXPECT_NE(loaded.policy, nullptr) << rules;
  EXPECT_TRUE(found) << program;
  return loaded.policy != nullptr && found ? why_no_trap(*loaded.policy, *found) : "no test";
}

TEST(Preload, NeedsAProgramThatHasAndKeepsTheLibrary) {
  EXPECT_EQ(why_not(""), "");
  EXPECT_EQ(why_not(R"(file { path: "/usr/**" allow: READ } limit { memory: "1G" })"), "");
  EXPECT_THAT(why_not("", TORNO_STATIC_PROGRAM), HasSubstr("static"));
  EXPECT_THAT(why_not(R"(file { path: "/usr/bin/**" allow: [READ, EXECUTE] })"),
              HasSubstr("allows EXECUTE"));
  EXPECT_THAT(why_not("limit { open_files: 100 }"), HasSubstr("limits open_files"));
}

// What the session does it does whatever a filter says.
TEST(Preload, IsRefusedWhereARuleIsAboutABrokeredCall) {
  EXPECT_THAT(why_not(R"(syscall { name: "connect" action: ERRNO errno: "EPERM" })"),
              HasSubstr("a syscall rule for connect"));
  EXPECT_EQ(why_not(R"(syscall { name: "getuid" action: ERRNO errno: "EPERM" })"), "");
}

TEST(Preload, ComesFirst) {
  Strings without = {"PATH=/bin"};
  add_preload("/lib/x.so", without);
  EXPECT_THAT(without, ElementsAre("PATH=/bin", "LD_PRELOAD=/lib/x.so"));
  Strings with = {"LD_PRELOAD=a.so b.so", "PATH=/bin"};
  add_preload("/lib/x.so", with);
  EXPECT_THAT(with, ElementsAre("LD_PRELOAD=/lib/x.so:a.so b.so", "PATH=/bin"));
}

TEST(Preload, IsTheOneOfThisBuild) {
  const auto found = find_preload();
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(*found, std::filesystem::canonical(TORNO_BINARY_DIR "/lib/libtorno_preload.so"));
}

}  // namespace
}  // namespace torno::launch::test
