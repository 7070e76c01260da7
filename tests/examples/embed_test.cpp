// torno-unzip and torno-count: programs that have others do their work, sealed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "tests/examples/files.h"
#include "tests/examples/process.h"
#include "tests/support/temporary_directory.h"

namespace torno::examples {
namespace {

using test::TemporaryDirectory;
using testing::HasSubstr;

TEST(Embed, UnpacksAFile) {
  const TemporaryDirectory directory;
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += std::to_string(i) + "\n";
  const std::string file = directory.write("text", text);
  ASSERT_EQ(std::system(("gzip -k " + file).c_str()), 0);
  const Result result = run({program("torno-unzip"), file + ".gz"});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(result.out, text);
}

TEST(Embed, SaysHowGzipEnded) {
  const TemporaryDirectory directory;
  const Result result = run({program("torno-unzip"), directory.write("text.gz", "no gzip")});
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, HasSubstr("torno-unzip: error: gzip: ended with status 1"));
}

TEST(Embed, CountsAFile) {
  const TemporaryDirectory directory;
  const Result result = run({program("torno-count"), directory.write("text", "one two\nthree\n")});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.out, testing::ContainsRegex("2 +3 +14"));
}

TEST(Embed, AWrongCommandLineSaysWhatIsRight) {
  for (const std::string name : {"torno-unzip", "torno-count"}) {
    const Result result = run({program(name)});
    EXPECT_EQ(result.status, 2);
    EXPECT_EQ(result.err, "usage: " + name + " FILE\n");
    const Result missing = run({program(name), "/nowhere/at/all"});
    EXPECT_EQ(missing.status, 1);
    EXPECT_THAT(missing.err, HasSubstr(name + ": error: No such file"));
  }
}

}  // namespace
}  // namespace torno::examples
