// Scene: a folder tree with a secret in it, a tornod, and a way to run one attack twice: as the
// positive control without the sandbox, where it must succeed, and sealed, where it must not.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "tests/support/temporary_directory.h"
#include "tests/support/tornod_process.h"

namespace torno::test {

// What came of an attack that ran in a process of its own.
enum class Ended {
  kSucceeded,  // the attack function returned true: it got what it must not get
  kRefused,    // it returned false
  kKilled,     // a signal ended the process
  kBroken,     // the process could not be sealed, or exited by itself
};

const char* to_string(Ended ended);
inline void PrintTo(Ended ended, std::ostream* out) {
  *out << to_string(ended);
}

using Attack = std::function<bool()>;

class Scene {
 public:
  // `rules`: policy text; $ROOT in it stands for the scene's folder.
  explicit Scene(const std::string& rules = kDefaultRules);

  // Runs the attack in a forked child, not sealed.
  Ended free(const Attack& attack) const;
  // The same after torno_enter. `before` runs in the child before the seal.
  Ended sealed(const Attack& attack, const Attack& before = {}) const;

  std::string path(const std::string& relative) const { return root_.path() + "/" + relative; }
  pid_t broker_pid() const { return broker_->pid(); }
  const TornodProcess& broker() const { return *broker_; }

  // Makes the tree as it was: an attack that succeeds as a control may have spoilt it.
  void restore() const;

  static constexpr const char* kDefaultRules = R"(
include: "base"
file { path: "$ROOT/allowed/**" allow: READ }
file { path: "$ROOT/writable/**" allow: [READ, WRITE, CREATE] }
)";

 private:
  TemporaryDirectory root_;
  std::unique_ptr<TornodProcess> broker_;
};

// The content of the secret, and of the file that may be read.
inline constexpr char kSecret[] = "the secret\n";
inline constexpr char kPublic[] = "for everybody\n";

// True when the file opens and holds the secret.
bool reads_secret(const std::string& path);
bool reads_secret(int fd);

}  // namespace torno::test
