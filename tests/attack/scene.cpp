#include "tests/attack/scene.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <torno/torno.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "tests/support/processes.h"

namespace torno::test {
namespace {

void write_file(const std::string& path, const char* text) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  (void)!::write(fd, text, std::strlen(text));
  ::close(fd);
}

std::string with_root(std::string text, const std::string& root) {
  constexpr std::string_view kRoot = "$ROOT";
  for (std::size_t at; (at = text.find(kRoot)) != std::string::npos;) {
    text.replace(at, kRoot.size(), root);
  }
  return text;
}

// The child's side: what ended it travels as the exit status.
constexpr int kExitRefused = 0;
constexpr int kExitSucceeded = 1;
constexpr int kExitBroken = 2;

Ended run(const std::function<int()>& body) {
  const pid_t child = fork_alone();
  if (child == 0) ::_exit(body());
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child) return Ended::kBroken;
  if (WIFSIGNALED(status)) return Ended::kKilled;
  switch (WEXITSTATUS(status)) {
    case kExitRefused:
      return Ended::kRefused;
    case kExitSucceeded:
      return Ended::kSucceeded;
    default:
      return Ended::kBroken;
  }
}

}  // namespace

const char* to_string(Ended ended) {
  switch (ended) {
    case Ended::kSucceeded:
      return "succeeded";
    case Ended::kRefused:
      return "refused";
    case Ended::kKilled:
      return "killed";
    case Ended::kBroken:
      return "broken";
  }
  return "?";
}

Scene::Scene(const std::string& rules) {
  for (const char* directory : {"allowed", "allowed/sub", "allowed2", "secret", "writable"}) {
    ::mkdir(path(directory).c_str(), 0755);
  }
  namespace fs = std::filesystem;
  fs::create_symlink("../secret/key", path("allowed/link"));
  fs::create_symlink("../secret", path("allowed/dirlink"));
  fs::create_symlink("chain2", path("allowed/chain1"));
  fs::create_symlink("sub/chain3", path("allowed/chain2"));
  fs::create_symlink("../../secret/key", path("allowed/sub/chain3"));
  restore();
  broker_ = std::make_unique<TornodProcess>(
      std::map<std::string, std::string>{{"scene", with_root(rules, root_.path())}});
}

void Scene::restore() const {
  std::filesystem::remove(path("secret/other"));
  std::filesystem::remove(path("allowed/fresh"));
  ::unlink(path("secret/key").c_str());
  write_file(path("secret/key"), kSecret);
  write_file(path("allowed2/key"), kSecret);
  write_file(path("allowed/public"), kPublic);
  ::chmod(path("allowed/public").c_str(), 0644);
}

Ended Scene::free(const Attack& attack) const {
  return run([&] { return attack() ? kExitSucceeded : kExitRefused; });
}

Ended Scene::sealed(const Attack& attack, const Attack& before) const {
  const std::string socket = broker_->socket_path();
  return run([&] {
    if (before && !before()) {
      std::fputs("attack: the step before the seal failed\n", stderr);
      return kExitBroken;
    }
    ::setenv("TORNO_BROKER", socket.c_str(), 1);
    char error[TORNO_ERROR_SIZE];
    if (::torno_enter("scene", TORNO_NO_EMBEDDED, error, sizeof error) != 0) {
      std::fprintf(stderr, "attack: %s\n", error);
      return kExitBroken;
    }
    return attack() ? kExitSucceeded : kExitRefused;
  });
}

bool reads_secret(int fd) {
  if (fd < 0) return false;
  char text[sizeof kSecret] = {};
  const bool is_secret = ::read(fd, text, sizeof text - 1) > 0 && std::strcmp(text, kSecret) == 0;
  ::close(fd);
  return is_secret;
}

bool reads_secret(const std::string& path) {
  return reads_secret(::open(path.c_str(), O_RDONLY | O_NONBLOCK));
}

}  // namespace torno::test
