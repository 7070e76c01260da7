// Scene: a folder tree with a secret in it, a tornod, and the ways to run one attack: as the
// positive control without the sandbox, where it must succeed; sealed by the library, and in a
// program that the launcher started, where it must not.
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
  kDiffers,    // of several ways: not the same came of them
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

  // The same in this very program, started anew by the launcher under a notify filter, with nothing
  // of the library's. There the test runs again up to this place, with the scene as it is: what it
  // does before has to be free of effects or in a step of prepare(), and of what a forked child
  // would have from its parent nothing is there.
  // Once by the notify transport alone, and once more with the trap filter on top where the rules
  // let it: what came of both.
  Ended confined(const Attack& attack) const;
  // The same in a program that was to have the trap filter on top and has not: what runs before the
  // library is loaded, or keeps it from that, finds its control socket, and no filter but notify's.
  enum class Expected { kSaysNothing, kSaysSealed };
  Ended before_library(const Attack& attack, Expected expected = Expected::kSaysNothing) const;
  // All of them: what came of them.
  Ended inside(const Attack& attack) const;
  // A step of the test's own. True: it succeeded, or this is the program that was started anew.
  static bool prepare(const std::function<bool()>& step);
  // Of confined(), within it: the process of the launcher; else 0.
  static pid_t launcher();

  std::string path(const std::string& relative) const { return root() + "/" + relative; }
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
  std::string root() const;

  const std::string rules_;
  std::unique_ptr<TemporaryDirectory> root_;  // none in the program that was started anew
  std::unique_ptr<TornodProcess> broker_;
};

// The content of the secret, and of the file that may be read.
inline constexpr char kSecret[] = "the secret\n";
inline constexpr char kPublic[] = "for everybody\n";

// How often something is tried that a race decides: TORNO_RACE_ROUNDS, or a few thousand times.
int race_rounds();

// True when the file opens and holds the secret.
bool reads_secret(const std::string& path);
bool reads_secret(int fd);

}  // namespace torno::test
