// Served: a folder, a tornod that serves it under a policy, and sealed peers on it.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "tests/support/processes.h"
#include "tests/support/raw_peer.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/tornod_process.h"

namespace torno::session {

class Served : public testing::Test {
 protected:
  Served();
  // Whatever the test did: the broker serves on, and holds nothing of the sessions that ended.
  ~Served() override;

  test::RawPeer connect() { return test::RawPeer::connect(tornod_.socket_path()); }
  // A sealed session under the policy "all".
  test::RawPeer sealed();

  std::string path(const std::string& name) const { return files_.path() + "/" + name; }
  std::string make_fifo(const std::string& name) const;

  int settled_fds() const;

  // An open of `name` works on `channel`.
  void expect_serves(const test::RawPeer& channel);

  test::TemporaryDirectory files_;  // "file" holds "content"; "all" permits everything here
  test::TornodProcess tornod_;
  int idle_fds_ = -1;  // of the broker, with no session
};

}  // namespace torno::session
