#include "broker/base/fd.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <cerrno>

namespace torno {
namespace {

bool is_open(int fd) {
  return ::fcntl(fd, F_GETFD) >= 0;
}

Fd open_null() {
  return Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
}

TEST(Fd, ClosesWhatItHolds) {
  int number = -1;
  {
    const Fd fd = open_null();
    number = fd.get();
    EXPECT_TRUE(is_open(number));
  }
  EXPECT_FALSE(is_open(number));
}

TEST(Fd, MovesAndReleases) {
  Fd first = open_null();
  const int number = first.get();
  Fd second = std::move(first);
  EXPECT_EQ(second.get(), number);
  EXPECT_EQ(second.release(), number);
  EXPECT_FALSE(static_cast<bool>(second));
  ASSERT_TRUE(is_open(number));
  ::close(number);
}

TEST(Fd, AssignmentClosesTheOld) {
  Fd fd = open_null();
  const int number = fd.get();
  fd = open_null();
  EXPECT_NE(fd.get(), number);
  EXPECT_FALSE(is_open(number));
}

TEST(Fd, KeepsErrno) {
  Fd fd(1'000'000);  // closing it fails with EBADF
  errno = ENOENT;
  fd.reset();
  EXPECT_EQ(errno, ENOENT);
}

}  // namespace
}  // namespace torno
