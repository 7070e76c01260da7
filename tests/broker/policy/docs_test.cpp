// docs/policy.md tells the truth: each of its examples loads without a complaint, and each of its
// mistakes fails with the message shown in the line behind it.
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "proto/policy.pb.h"
#include "tests/broker/policy/policy_fixture.h"

namespace torno::policy {
namespace {

struct Example {
  int line = 0;
  bool is_mistake = false;
  std::string text;
  std::string message;  // of a mistake, its beginning
};

std::vector<Example> examples() {
  std::ifstream page(TORNO_SOURCE_DIR "/docs/policy.md");
  std::vector<Example> all;
  int number = 0;
  for (std::string line; std::getline(page, line);) {
    ++number;
    if (line != "```policy" && line != "```policy-error") continue;
    Example example;
    example.line = number;
    example.is_mistake = line == "```policy-error";
    for (; std::getline(page, line) && line != "```"; ++number) example.text += line + "\n";
    ++number;
    if (example.is_mistake && std::getline(page, line)) {
      ++number;
      // Between the first and the last backtick.
      const std::size_t first = line.find('`');
      example.message = line.substr(first + 1, line.rfind('`') - first - 1);
    }
    all.push_back(example);
  }
  return all;
}

LoadOptions options() {
  LoadOptions options;
  options.variables = default_variables(0, 42, "/srv");
  return options;
}

TEST(Docs, EveryExampleLoads) {
  int count = 0;
  for (const Example& example : examples()) {
    if (example.is_mistake) continue;
    ++count;
    for (const std::string& complaint : complaints(example.text, options())) {
      ADD_FAILURE() << "docs/policy.md:" << example.line << ": " << complaint;
    }
  }
  EXPECT_GE(count, 10);
}

TEST(Docs, EveryMistakeGetsTheMessageShown) {
  int count = 0;
  for (const Example& example : examples()) {
    if (!example.is_mistake) continue;
    ++count;
    const std::vector<std::string> all = complaints(example.text, options());
    ASSERT_EQ(all.size(), 1U) << "docs/policy.md:" << example.line;
    ASSERT_FALSE(example.message.empty()) << "docs/policy.md:" << example.line;
    EXPECT_EQ(all[0].find("t.policy" + example.message), 0U)
        << "docs/policy.md:" << example.line << ": " << all[0];
  }
  EXPECT_GE(count, 7);
}

// Every field of the schema stands on the page.
void expect_named(const google::protobuf::Descriptor* message, const std::string& page) {
  for (int i = 0; i < message->field_count(); ++i) {
    const auto* field = message->field(i);
    const std::string& name = field->name();
    EXPECT_TRUE(page.find("`" + name) != std::string::npos ||
                page.find("." + name + "`") != std::string::npos ||
                page.find("\n" + name) != std::string::npos ||
                page.find("## " + name) != std::string::npos)
        << message->name() << "." << name << " is not explained";
  }
}

TEST(Docs, NameEveryField) {
  std::ostringstream page;
  page << std::ifstream(TORNO_SOURCE_DIR "/docs/policy.md").rdbuf();
  expect_named(PolicyFile::descriptor(), page.str());
  for (const auto* built : {FileRule::descriptor(), ConnectRule::descriptor(),
                            SyscallRule::descriptor(), Argument::descriptor(), Limit::descriptor(),
                            Expect::descriptor(), Temporary::descriptor()}) {
    expect_named(built, page.str());
  }
}

void collect_fields(const google::protobuf::Message& message, std::set<std::string>& names) {
  const auto* reflection = message.GetReflection();
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  reflection->ListFields(message, &fields);
  for (const auto* field : fields) {
    names.insert(field->full_name());
    if (field->cpp_type() != field->CPPTYPE_MESSAGE) continue;
    if (!field->is_repeated()) {
      collect_fields(reflection->GetMessage(message, field), names);
      continue;
    }
    for (int i = 0; i < reflection->FieldSize(message, field); ++i) {
      collect_fields(reflection->GetRepeatedMessage(message, field, i), names);
    }
  }
}

// Every field that is built stands in an example. Those that are not have a table.
TEST(Docs, ShowEveryField) {
  const std::set<std::string> unbuilt = {"bind", "peer", "resolver", "delegate", "host"};
  std::set<std::string> shown;
  for (const Example& example : examples()) {
    PolicyFile policy;
    if (example.is_mistake) continue;
    ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(example.text, &policy));
    collect_fields(policy, shown);
  }
  for (const auto* message :
       {PolicyFile::descriptor(), FileRule::descriptor(), ConnectRule::descriptor(),
        SyscallRule::descriptor(), Argument::descriptor(), Limit::descriptor(),
        Expect::descriptor(), Temporary::descriptor()}) {
    for (int i = 0; i < message->field_count(); ++i) {
      if (unbuilt.contains(message->field(i)->name())) continue;
      EXPECT_TRUE(shown.contains(message->field(i)->full_name()))
          << message->field(i)->full_name() << " has no example";
    }
  }
}

}  // namespace
}  // namespace torno::policy
