// torno syscall: both ways, and each of the groups.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/cli/run_torno.h"

namespace torno::cli {
namespace {

using testing::HasSubstr;

std::string answer_to(const std::string& call) {
  const Said said = run_torno({"syscall", call});
  EXPECT_EQ(said.status, 0) << said.err;
  return said.out;
}

TEST(Syscall, NameAndNumberSayTheSame) {
  EXPECT_THAT(answer_to("59"), HasSubstr("execve is number 59"));
  EXPECT_EQ(answer_to("openat"), answer_to("257"));
  EXPECT_THAT(answer_to("0"), HasSubstr("read is number 0"));
}

TEST(Syscall, TellsWhatBecomesOfACall) {
  EXPECT_THAT(answer_to("read"), HasSubstr("\nallowed ("));
  EXPECT_THAT(answer_to("openat"), HasSubstr("\nbrokered: "));
  EXPECT_THAT(answer_to("rt_sigaction"), HasSubstr("\ntranslated inside the process: "));
  EXPECT_THAT(answer_to("ioctl"), HasSubstr("\nallowed for some arguments, else refused"));
  EXPECT_THAT(answer_to("execve"), HasSubstr("\nrefused, and named to the callback"));
  EXPECT_THAT(answer_to("clone3"), HasSubstr("\nrefused with ENOSYS: "));
}

TEST(Syscall, AnUnknownNumberIsRefusedLikeTheFilterRefusesIt) {
  EXPECT_THAT(answer_to("9999"), HasSubstr("refused with ENOSYS"));
  EXPECT_THAT(answer_to("1073741824"), HasSubstr("x32"));
}

TEST(Syscall, AnUnknownNameIsAnError) {
  for (const char* word : {"opennat", "257x", "99999999999999999999", ""}) {
    const Said said = run_torno({"syscall", word});
    EXPECT_EQ(said.status, 2) << word;
    EXPECT_THAT(said.err, HasSubstr("is no system call"));
  }
}

}  // namespace
}  // namespace torno::cli
