// torno run: what it says of refusals, to people and to programs.
#include <gmock/gmock.h>
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

#include <sstream>

#include "proto/audit.pb.h"
#include "tests/cli/run_command.h"

namespace torno::cli {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// Opens the file, makes a folder that nobody makes for it, and says nothing itself.
std::vector<std::string> attempts(const std::string& option, const std::string& value,
                                  const std::string& file) {
  std::vector<std::string> words = {option};
  if (!value.empty()) words.push_back(value);
  words.insert(words.end(), {"--", "/usr/bin/perl", "-e",
                             "open F, q(<), $ARGV[0]; mkdir $ARGV[0] . q(d); chroot q(/)", file});
  return words;
}

TEST(RunReport, SaysNothingUnlessAsked) {
  const TemporaryDirectory directory;
  const Said said = run({"--", "sh", "-c", "echo x > \"$0\"; true", directory.path("file")});
  EXPECT_THAT(said.err, testing::Not(HasSubstr("torno:")));
}

TEST(RunReport, VerboseNamesCallPathAndPermission) {
  const TemporaryDirectory directory;
  const std::string file = directory.write("file\x1b[31m", "some words\n");
  const Said said = run(attempts("--verbose", "", file));
  EXPECT_EQ(said.status, 0);
  EXPECT_EQ(said.out, "");
  EXPECT_THAT(said.err, HasSubstr("torno: denied openat READ " + directory.path("file\\x1b[31m") +
                                  ": EACCES (no rule)"));
  EXPECT_THAT(said.err, HasSubstr("torno: denied mkdir CREATE " + directory.path("file\\x1b[31md") +
                                  ": EACCES (no rule)"));
  EXPECT_THAT(said.err, HasSubstr("torno: refused chroot"));
  EXPECT_THAT(said.err, HasSubstr("policy=base"));
  for (const std::string& line : lines_of(said.err)) EXPECT_THAT(line, StartsWith("torno: "));
}

TEST(RunReport, JsonIsAnAuditEventALine) {
  const TemporaryDirectory directory;
  const std::string file = directory.write("file \"\xff\n", "some words\n");
  const Said said = run(attempts("--log-format", "json", file));
  EXPECT_EQ(said.status, 0);
  bool opened = false;
  bool made = false;
  for (const std::string& line : lines_of(said.err)) {
    audit::Event event;
    const auto status = google::protobuf::util::JsonStringToMessage(line, &event);
    ASSERT_TRUE(status.ok()) << status.ToString() << ": " << line;
    EXPECT_NE(event.time(), "");
    EXPECT_EQ(event.policy(), "base");
    EXPECT_GT(event.pid(), 0U);
    if (!event.has_violation()) continue;
    const audit::Violation& violation = event.violation();
    EXPECT_EQ(violation.error(), "EACCES");
    if (violation.path() == directory.path("file \"\\xff\\x0a")) {
      opened = opened || (violation.call() == "openat" && violation.permission() == "READ");
    }
    made = made || violation.call() == "mkdir";
  }
  EXPECT_TRUE(opened) << said.err;
  EXPECT_TRUE(made) << said.err;
}

TEST(RunReport, NamesTheRuleThatDenies) {
  const TemporaryDirectory directory;
  const std::string file = directory.write("file", "some words\n");
  const std::string policy = directory.write(
      "own.policy", "include: \"base\"\nfile { path: \"" + file + "\" deny: READ }\n");
  const auto cat = [&](const std::string& read) {
    return run({"--verbose", "--policy", policy, "--read", read, "--", "cat", file});
  };
  const Said refused = cat(directory.path());
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, HasSubstr("EACCES (" + policy + ":2)"));
  // What is named and denied altogether is a mistake, told before anything is started.
  const Said mistaken = cat(file);
  EXPECT_EQ(mistaken.status, 125);
  EXPECT_THAT(mistaken.err, HasSubstr(policy + ":2 denies READ on all of it"));
}

}  // namespace
}  // namespace torno::cli
