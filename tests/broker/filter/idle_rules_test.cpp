// check(): syscall rules that never match, and those that say the same again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "broker/filter/program.h"
#include "tests/broker/filter/simulate.h"

namespace torno::filter::test {
namespace {

using testing::ElementsAre;

// The rules of a policy that never match or say the same again, by their lines.
std::vector<std::string> idle(const std::string& text) {
  std::vector<std::string> out;
  for (const policy::Diagnostic& diagnostic : check(*load_policy(text))) {
    const bool error = diagnostic.severity == policy::Diagnostic::Severity::kError;
    out.push_back((error ? "error " : "warning ") + std::to_string(diagnostic.where.line));
  }
  return out;
}

TEST(IdleRules, OnesThatAnotherAnswersFirst) {
  const std::string read = R"(syscall { name: "read" action: )";
  const auto with = [&read](const std::string& first, const std::string& second) {
    return idle(read + first + " }\n" + read + second + " }\n");
  };
  const std::string eperm = R"(ERRNO errno: "EPERM" )";
  EXPECT_THAT(with(eperm, "ALLOW"), ElementsAre("error 2"));
  EXPECT_THAT(with("ALLOW", eperm), ElementsAre("error 1")) << "ERRNO goes first wherever it is";
  EXPECT_THAT(with(eperm, R"(ERRNO errno: "EACCES")"), ElementsAre("error 2"));
  EXPECT_THAT(with(eperm, eperm), ElementsAre("warning 2"));
  EXPECT_THAT(with(eperm, "ALLOW arg { index: 1 op: EQ value: 1 }"), ElementsAre("error 2"));
  EXPECT_THAT(with(eperm + "arg { index: 1 op: EQ value: 1 }", "ALLOW"), ElementsAre());
  EXPECT_THAT(
      with(eperm + "arg { index: 1 op: GE value: 5 }", "ALLOW arg { index: 1 op: GT value: 5 }"),
      ElementsAre("error 2"));
  EXPECT_THAT(
      with(eperm + "arg { index: 1 op: GT value: 5 }", "ALLOW arg { index: 1 op: GE value: 5 }"),
      ElementsAre());
  EXPECT_THAT(
      with(eperm + "arg { index: 1 op: NE value: 5 }", "ALLOW arg { index: 1 op: LT value: 5 }"),
      ElementsAre("error 2"));
  EXPECT_THAT(with(eperm + "arg { index: 1 op: MASKED_EQ mask: 6 value: 4 }",
                   "ALLOW arg { index: 1 op: EQ value: 13 }"),
              ElementsAre("error 2"));
  EXPECT_THAT(
      with(eperm + "arg { index: 1 op: EQ value: 1 }", "ALLOW arg { index: 2 op: EQ value: 1 }"),
      ElementsAre());
}

}  // namespace
}  // namespace torno::filter::test
