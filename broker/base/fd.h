// Fd: a file descriptor with one owner. Everything the broker opens or receives is held by one,
// so that no path out of a function leaks it.
#pragma once

#include <unistd.h>

#include <utility>

namespace torno {

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) reset(std::exchange(other.fd_, -1));
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() {
    if (fd_ >= 0) close_held();
  }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }
  // Closes what is held; errno stays as it was.
  void reset(int fd = -1) {
    if (fd_ >= 0) close_held();
    fd_ = fd;
  }

 private:
  void close_held() const;

  int fd_ = -1;
};

}  // namespace torno
