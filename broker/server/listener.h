// Listener: the socket a broker is reached at.
#pragma once

#include <sys/types.h>

#include <string>

#include "broker/base/error.h"
#include "broker/base/fd.h"

namespace torno::server {

// A SOCK_SEQPACKET socket at a path, mode 0600. Removed again with its owner, unless something
// else stands there by then.
class Listener {
 public:
  // Takes the place of a socket that nobody answers on; of nothing else.
  static Result<Listener> bind(const std::string& path);
  // A socket that the service manager made and removes.
  static Result<Listener> adopt(Fd socket);

  Listener(Listener&& other) noexcept;
  Listener& operator=(Listener&&) = delete;
  ~Listener();

  // Takes the socket's name away, before its owner's end.
  void remove();

  int fd() const { return socket_.get(); }
  // Where it is bound; empty for an abstract name.
  const std::string& path() const { return path_; }

 private:
  Listener(Fd socket, std::string path, bool remove);

  Fd socket_;
  std::string path_;
  bool remove_ = false;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

// Is `fd` a connected Unix SOCK_SEQPACKET socket?
bool is_connected_seqpacket(int fd);

}  // namespace torno::server
