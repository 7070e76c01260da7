#include <gtest/gtest.h>
#include <limits.h>

#include <algorithm>

#include "broker/audit/audit.h"

namespace torno::audit {
namespace {

Event denied(const std::string& path) {
  Event event;
  event.set_session(4);
  event.set_pid(123);
  event.set_uid(7);
  event.set_policy("png");
  Violation& violation = *event.mutable_violation();
  violation.set_call("openat");
  violation.set_path(path);
  violation.set_permission("READ");
  violation.set_error("EACCES");
  return event;
}

bool is_printable_ascii(const std::string& line) {
  return std::ranges::all_of(line, [](char c) { return c >= 0x20 && c < 0x7f; });
}

TEST(FormatTest, NamesWhatWasDeniedInOneLine) {
  EXPECT_EQ(to_line(denied("/etc/shadow"), Format::kText),
            "torno: denied openat READ /etc/shadow: EACCES (no rule) pid=123 uid=7 policy=png "
            "session=4");
}

TEST(FormatTest, NamesTheDenyRule) {
  Event event = denied("/etc/shadow");
  event.mutable_violation()->set_rule("/etc/torno/png.policy:12");
  EXPECT_EQ(to_line(event, Format::kText),
            "torno: denied openat READ /etc/shadow: EACCES (/etc/torno/png.policy:12) pid=123 "
            "uid=7 policy=png session=4");
}

TEST(FormatTest, SaysEveryEventInText) {
  Event event;
  event.set_session(1);
  event.mutable_started()->set_layers(3);
  EXPECT_EQ(to_line(event, Format::kText), "torno: session started pid=0 uid=0 session=1");
  event.mutable_ended()->set_requests(5);
  event.mutable_ended()->set_denials(2);
  EXPECT_EQ(to_line(event, Format::kText),
            "torno: session ended: 5 requests, 2 denied pid=0 uid=0 session=1");
  event.mutable_protocol_violation()->set_reason("why");
  EXPECT_EQ(to_line(event, Format::kText),
            "torno: session ended, it broke the protocol: why pid=0 uid=0 session=1");
  event.mutable_refused()->set_reason("why not");
  EXPECT_EQ(to_line(event, Format::kText), "torno: session refused: why not pid=0 uid=0 session=1");
  event.mutable_suppressed()->set_events(9);
  EXPECT_EQ(to_line(event, Format::kText), "torno: 9 events not shown pid=0 uid=0 session=1");
}

TEST(FormatTest, IsJsonOfTheSchema) {
  EXPECT_EQ(to_line(denied("/a"), Format::kJson),
            R"({"session":"4","pid":123,"uid":7,"policy":"png","violation":{"call":"openat",)"
            R"("path":"/a","permission":"READ","error":"EACCES"}})");
}

TEST(FormatTest, JsonShowsAZeroThatSaysSomething) {
  Event event;
  event.set_session(1);
  event.set_pid(5);
  event.set_uid(0);
  event.mutable_ended()->set_requests(0);
  event.mutable_ended()->set_denials(0);
  EXPECT_EQ(to_line(event, Format::kJson),
            R"({"session":"1","pid":5,"uid":0,"ended":{"requests":"0","denials":"0"}})");
  event.mutable_started()->set_layers(0);
  EXPECT_EQ(to_line(event, Format::kJson),
            R"({"session":"1","pid":5,"uid":0,"started":{"layers":0}})");
}

// A file name that ends the line and begins another, that clears the terminal, that is no UTF-8.
TEST(FormatTest, EscapesWhatCouldForgeALineOrDriveATerminal) {
  const std::string hostile = "/a\ntorno: denied nothing\x1b[2J\xff\\x41\r";
  for (const Format format : {Format::kText, Format::kJson}) {
    const std::string line = to_line(denied(hostile), format);
    EXPECT_TRUE(is_printable_ascii(line)) << line;
  }
  EXPECT_NE(to_line(denied(hostile), Format::kText)
                .find(R"(/a\x0atorno: denied nothing\x1b[2J\xff\\x41\x0d)"),
            std::string::npos);
}

TEST(FormatTest, EscapesPolicyReasonAndRule) {
  Event event = denied("/a");
  event.set_policy("p\n");
  event.mutable_violation()->set_rule("r\n:1");
  EXPECT_TRUE(is_printable_ascii(to_line(event, Format::kText)));
  event.mutable_refused()->set_reason("no\n");
  EXPECT_TRUE(is_printable_ascii(to_line(event, Format::kText)));
  event.mutable_protocol_violation()->set_reason("no\n");
  EXPECT_TRUE(is_printable_ascii(to_line(event, Format::kText)));
}

// A reason is a message: what is hostile in it has been escaped where it entered.
TEST(FormatTest, AMessageIsNotEscapedAgain) {
  Event event;
  event.mutable_refused()->set_reason(R"('a\x0ab' is no policy's name)");
  EXPECT_NE(to_line(event, Format::kText).find(R"(refused: 'a\x0ab' is no)"), std::string::npos);
  EXPECT_NE(to_line(event, Format::kJson).find(R"('a\\x0ab' is no)"), std::string::npos);
}

// A pipe takes a line whole only up to PIPE_BUF.
TEST(FormatTest, NoLineIsLongerThanPipeBuf) {
  for (const char c : {'a', '\\', '\x01', '\xff'}) {
    Event event = denied(std::string(PATH_MAX, c));
    event.set_policy(std::string(PATH_MAX, c));
    event.mutable_violation()->set_rule(std::string(PATH_MAX, c));
    for (const Format format : {Format::kText, Format::kJson}) {
      const std::string line = to_line(event, format);
      EXPECT_LT(line.size(), PIPE_BUF) << c;
      EXPECT_NE(line.find("..."), std::string::npos);
    }
  }
}

TEST(FormatTest, NeverCutsWithinAnEscape) {
  for (std::size_t before = 0; before < 8; ++before) {
    const std::string line =
        to_line(denied(std::string(before, 'a') + std::string(PATH_MAX, '\x01')), Format::kText);
    const std::size_t cut = line.find("...");
    ASSERT_NE(cut, std::string::npos);
    EXPECT_EQ(line.substr(cut - 4, 4), R"(\x01)") << before;
  }
  for (std::size_t before = 0; before < 8; ++before) {
    const std::string line =
        to_line(denied(std::string(before, 'a') + std::string(PATH_MAX, '\\')), Format::kText);
    const std::size_t first = line.find('\\');
    EXPECT_EQ((line.find("...") - first) % 2, 0U) << before;
  }
}

}  // namespace
}  // namespace torno::audit
