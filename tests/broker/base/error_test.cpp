#include "broker/base/error.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace torno {
namespace {

using namespace std::string_view_literals;

TEST(Error, NamesErrnoValues) {
  EXPECT_EQ(errno_name(EACCES), "EACCES");
  EXPECT_EQ(errno_name(99999), "99999");
  EXPECT_EQ(system_error("open", ENOENT).message, "open: No such file or directory");
}

TEST(Error, EscapesWhatCouldForgeALine) {
  EXPECT_EQ(escape("plain/name"), "plain/name");
  EXPECT_EQ(escape("a\nb\x1b[2J"), "a\\x0ab\\x1b[2J");
  EXPECT_EQ(escape("back\\slash"), "back\\\\slash");
  EXPECT_EQ(escape("caf\xe9\x7f"), "caf\\xe9\\x7f");
  EXPECT_EQ(escape("nul\0!"sv), "nul\\x00!");
}

}  // namespace
}  // namespace torno
