// From EXECUTE rules to places that Landlock can hold.
#include "broker/filter/executables.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "broker/filter/landlock.h"
#include "tests/broker/filter/child.h"
#include "tests/broker/filter/simulate.h"
#include "tests/support/temporary_directory.h"

namespace torno::filter {

void PrintTo(const ExecutablePlace& place, std::ostream* out) {
  *out << place.path << (place.tree ? "/**" : "");
}

namespace test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ExecutablesOf : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* folder : {"a", "b", "b/deep"}) {
      std::filesystem::create_directory(directory_.path() + "/" + folder);
    }
    for (const char* name : {"one", "two", "a/tool", "b/tool", "b/other", "b/deep/tool"}) {
      directory_.write(name, "");
    }
    std::filesystem::create_symlink("one", at("link"));
    EXPECT_EQ(::mkfifo(at("pipe").c_str(), 0600), 0);
  }

  std::string at(const std::string& name) const { return directory_.path() + "/" + name; }

  // A rule for a pattern beneath the directory.
  std::string allow(const std::string& pattern) const {
    return "file { path: \"" + at(pattern) + "\" allow: EXECUTE }\n";
  }

  // What the rules allow; a failure of the test when there are errors.
  static std::vector<ExecutablePlace> places(const std::string& text) {
    const auto policy = load_policy(text);
    if (policy == nullptr) return {};
    const Executables found = executables(*policy);
    for (const auto& error : found.errors) ADD_FAILURE() << error.text();
    return found.places;
  }

  static std::vector<std::string> errors(const std::string& text) {
    const auto policy = load_policy(text);
    if (policy == nullptr) return {};
    std::vector<std::string> out;
    for (const auto& error : executables(*policy).errors) out.push_back(error.text());
    return out;
  }

  ExecutablePlace file(const std::string& name) const { return {at(name), false}; }
  ExecutablePlace tree(const std::string& name) const { return {at(name), true}; }

  torno::test::TemporaryDirectory directory_;
};

TEST_F(ExecutablesOf, TreesAndFiles) {
  EXPECT_THAT(places(allow("b/**") + allow("one")), ElementsAre(tree("b"), file("one")));
  EXPECT_THAT(places(R"(file { path: "/**" allow: [READ, EXECUTE] })"),
              ElementsAre(ExecutablePlace{"/", true}));
  // "/x/**" is /x as well.
  EXPECT_THAT(places(allow("two/**")), ElementsAre(file("two")));
}

TEST_F(ExecutablesOf, WithoutARuleThereIsNone) {
  const auto text = "file { path: \"" + at("**") + "\" allow: [READ, WRITE] }";
  EXPECT_THAT(places(text), IsEmpty());
  EXPECT_FALSE(allows_execution(*load_policy(text)));
  EXPECT_FALSE(allows_execution(*load_policy(R"(file { path: "/a" deny: EXECUTE })")));
  EXPECT_TRUE(allows_execution(*load_policy(allow("one"))));
}

TEST_F(ExecutablesOf, ALiteralPathIsAFile) {
  EXPECT_THAT(places(allow("b") + allow("pipe") + allow("none") + allow("one/none")), IsEmpty());
  // The loader follows the link.
  EXPECT_THAT(places(allow("link")), ElementsAre(file("one")));
}

TEST_F(ExecutablesOf, GlobsAreTheFilesThereAre) {
  EXPECT_THAT(places(allow("*")), ElementsAre(file("one"), file("two")));
  EXPECT_THAT(places(allow("?ne")), ElementsAre(file("one")));
  EXPECT_THAT(places(allow("*/tool")), ElementsAre(file("a/tool"), file("b/tool")));
  EXPECT_THAT(places(allow("*/*")), ElementsAre(file("a/tool"), file("b/other"), file("b/tool")));
  EXPECT_THAT(places(allow("none*")), IsEmpty());
  EXPECT_THAT(places(allow("*/**")), ElementsAre(tree("a"), tree("b"), file("one"), file("two")));
}

TEST_F(ExecutablesOf, AFolderThatBecameALinkIsNotFollowed) {
  const auto policy = load_policy(allow("a/**") + allow("a/tool") + allow("a/t*"));
  ASSERT_NE(policy, nullptr);
  std::filesystem::remove_all(at("a"));
  std::filesystem::create_symlink("b", at("a"));
  const Executables found = executables(*policy);
  EXPECT_THAT(found.errors, IsEmpty());
  EXPECT_THAT(found.places, IsEmpty());
}

TEST_F(ExecutablesOf, AnyDepthInTheMiddleIsAnError) {
  EXPECT_THAT(errors(allow("one") + allow("**/tool")),
              ElementsAre(AllOf(HasSubstr("test.policy:2:1: error: "),
                                HasSubstr("cannot be held by Landlock; name the folder with /** "
                                          "or the files"))));
}

// Landlock cannot take back: the loader says so before anything is asked here.
TEST_F(ExecutablesOf, DeniedBeneathATreeIsAnError) {
  const auto deny = [this](const std::string& pattern) {
    return "file { path: \"" + at(pattern) + "\" deny: EXECUTE }\n";
  };
  for (const char* pattern : {"b/tool", "b/deep/*", "b/**", "*/tool", "**/x", "**"}) {
    const std::string error = compile_error(allow("b/**") + deny(pattern));
    EXPECT_THAT(error, HasSubstr("error: ")) << pattern;
    if (std::string_view(pattern) == "b/**" || std::string_view(pattern) == "**") continue;
    EXPECT_THAT(error, HasSubstr("test.policy:2:1: error: EXECUTE is denied beneath")) << pattern;
  }
  EXPECT_THAT(places(allow("b/**") + deny("a/**")), ElementsAre(tree("b")));
}

TEST_F(ExecutablesOf, MoreThanTheLimitIsAnError) {
  std::filesystem::create_directory(at("many"));
  for (int i = 0; i < 4097; ++i) directory_.write("many/" + std::to_string(10'000 + i), "");
  EXPECT_THAT(errors(allow("one") + allow("many/*") + allow("two")),
              ElementsAre(AllOf(HasSubstr("test.policy:2:1: error: "), HasSubstr("4096 files"))));
  std::filesystem::remove(at("many/10000"));
  EXPECT_EQ(places(allow("many/*")).size(), 4096U);
}

TEST_F(ExecutablesOf, MoreFoldersThanTheLimitIsAnError) {
  for (int i = 0; i < 4097; ++i) {
    std::filesystem::create_directories(at("many/" + std::to_string(i)));
  }
  EXPECT_THAT(errors(allow("many/*/tool*")), ElementsAre(HasSubstr("4096 folders")));
}

// A thousand programs go into a ruleset with few descriptors.
TEST_F(ExecutablesOf, TakeNoDescriptorEach) {
  if (landlock_abi() == 0) GTEST_SKIP() << "this kernel has no Landlock";
  std::filesystem::create_directory(at("many"));
  for (int i = 0; i < 100; ++i) directory_.write("many/" + std::to_string(i), "");
  const auto found = places(allow("many/*"));
  ASSERT_EQ(found.size(), 100U);
  EXPECT_EQ(in_child([&] {
              const rlimit few{32, 32};
              if (::setrlimit(RLIMIT_NOFILE, &few) != 0) return 1;
              const auto ruleset = make_ruleset();
              return ruleset && allow_executables(ruleset->get(), found) ? 0 : 2;
            }),
            exited(0));
}

}  // namespace
}  // namespace test
}  // namespace torno::filter
