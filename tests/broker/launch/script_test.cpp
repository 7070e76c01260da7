// The first line of a script: ours and the kernel's reading of it agree.
#include "broker/launch/script.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <random>

#include "tests/broker/launch/exec.h"
#include "tests/support/seed.h"
#include "tests/support/temporary_directory.h"

namespace torno::launch::test {
namespace {

using namespace std::string_view_literals;
using torno::test::TemporaryDirectory;

TEST(Script, NamesItsInterpreter) {
  EXPECT_EQ(script_interpreter("#!/bin/sh\necho"), "/bin/sh");
  EXPECT_EQ(script_interpreter("#! \t /usr/bin/env  python3 -u \n"), "/usr/bin/env");
  EXPECT_EQ(script_interpreter("#!/bin/sh"), "/bin/sh");
  EXPECT_EQ(script_interpreter("#!/bin/sh\0/x\n"sv), "/bin/sh");
  EXPECT_EQ(script_interpreter("#!/bin/sh\r\n"), "/bin/sh\r");
  EXPECT_EQ(script_interpreter("#!sh\n"), "sh");
  EXPECT_EQ(script_interpreter("#!/bin/sh\t-e\n"), "/bin/sh");
}

TEST(Script, WithoutANameItHasNone) {
  for (const std::string_view line :
       {""sv, "#"sv, "#!"sv, "#!\n"sv, "#! \t \n/bin/sh"sv, "#!\0/bin/sh\n"sv, " #!/bin/sh\n"sv}) {
    EXPECT_FALSE(script_interpreter(line)) << line;
  }
}

TEST(Script, ANameThatMayBeCutOffIsNone) {
  const auto named = [](std::size_t length, std::string_view behind) {
    std::string head = "#!" + std::string(length, 'a') + std::string(behind);
    head.resize(std::min(head.size(), kScriptHead));
    return script_interpreter(head).has_value();
  };
  EXPECT_TRUE(named(253, "\nx"));
  EXPECT_TRUE(named(253, " argument that goes on"));
  EXPECT_FALSE(named(254, "\nx"));
  EXPECT_FALSE(named(254, " x"));
  EXPECT_FALSE(named(500, "\n"));
  EXPECT_TRUE(named(253, "")) << "the file ends there";
}

// Every line is given to the kernel too, which starts what it names, or does not.
class ScriptInTheKernel : public ::testing::Test {
 protected:
  ScriptInTheKernel() {
    // Short enough to stand in a line that is random beside it.
    link_ = directory_.path() + "/t";
    EXPECT_EQ(::symlink("/bin/true", link_.c_str()), 0);
  }

  void compare(const std::string& text) const {
    const std::string script = directory_.write("script", text);
    ASSERT_EQ(::chmod(script.c_str(), 0700), 0);
    const auto interpreter = script_interpreter(text.substr(0, kScriptHead));
    const bool found =
        interpreter && ::access(interpreter->c_str(), X_OK) == 0 && interpreter->front() == '/';
    EXPECT_EQ(exec_error(script) == 0, found)
        << ::testing::PrintToString(text) << " names "
        << ::testing::PrintToString(interpreter.value_or("nothing"));
    ::unlink(script.c_str());
  }

  const TemporaryDirectory directory_;
  std::string link_;
};

TEST_F(ScriptInTheKernel, Starts) {
  for (const char* before : {"#!", "#! ", "#!\t \t", "# !", "##!"}) {
    for (const std::string_view behind :
         {""sv, "\n"sv, " \n"sv, " -x\n"sv, "\0\n"sv, "\0"sv, " \0"sv, "\r\n"sv, "x\n"sv}) {
      compare(before + link_ + std::string(behind));
    }
  }
}

TEST_F(ScriptInTheKernel, AtTheEndOfWhatItReads) {
  for (std::size_t name_ends = 250; name_ends < 260; ++name_ends) {
    const std::string line = "#!" + std::string(name_ends - 2 - link_.size(), ' ') + link_;
    for (const std::string_view behind : {""sv, "\n"sv, " "sv, "\0"sv, " and more\n"sv, "\t\n"sv}) {
      compare(line + std::string(behind));
    }
  }
}

TEST_F(ScriptInTheKernel, OfAnyText) {
  std::mt19937 random(torno::test::seed(6));
  const std::string pieces[] = {link_, " ", "\t", "\n", std::string(1, '\0'), "x", "#!"};
  for (int round = 0; round < 400; ++round) {
    std::string text = "#!";
    for (auto count = random() % 6; count > 0; --count) text += pieces[random() % 7];
    if (random() % 4 == 0) text.insert(2, std::string(random() % 260, ' '));
    compare(text);
  }
}

}  // namespace
}  // namespace torno::launch::test
