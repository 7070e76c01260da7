#include "tests/attack/scene.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <torno/torno.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <utility>

#include "broker/launch/preload.h"
#include "broker/launch/sandbox.h"
#include "broker/policy/loader.h"
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
// Of a program started anew, whose test framework has statuses of its own.
constexpr int kConfined = 40;

// How the program that is started anew knows what to do.
constexpr char kNumber[] = "ATTACK_NUMBER";  // which confined() of the test
constexpr char kRoot[] = "ATTACK_ROOT";
constexpr char kLauncher[] = "ATTACK_LAUNCHER";
constexpr char kRounds[] = "ATTACK_ROUNDS";

bool is_started_anew() {
  return std::getenv(kNumber) != nullptr;
}

// How many confined() the running test has come to.
int next_number() {
  static const testing::TestInfo* last = nullptr;
  static int number = 0;
  const auto* test = testing::UnitTest::GetInstance()->current_test_info();
  if (test != last) number = 0;
  last = test;
  return ++number;
}

Ended ended_of(int code) {
  switch (code) {
    case kExitRefused:
      return Ended::kRefused;
    case kExitSucceeded:
      return Ended::kSucceeded;
    default:
      return Ended::kBroken;
  }
}

Ended run(const std::function<int()>& body) {
  const pid_t child = fork_alone();
  if (child == 0) ::_exit(body());
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child) return Ended::kBroken;
  if (WIFSIGNALED(status)) return Ended::kKilled;
  return ended_of(WEXITSTATUS(status));
}

policy::PolicyPtr load(const std::string& text) {
  policy::LoadOptions options;
  options.directories = {TORNO_SOURCE_DIR "/policies"};
  policy::Loaded loaded = policy::load_text(text, "scene.policy", options);
  for (const auto& diagnostic : loaded.diagnostics) {
    std::fprintf(stderr, "attack: %s\n", diagnostic.text().c_str());
  }
  return loaded.policy;
}

// This program once more, for the same test alone.
std::optional<launch::Sandbox> start_anew(const policy::PolicyPtr& policy,
                                          const std::string& preload, const std::string& root,
                                          int number) {
  const auto* test = testing::UnitTest::GetInstance()->current_test_info();
  launch::Options options;
  options.policy = policy;
  options.preload = preload;
  auto program = launch::find_program("/proc/self/exe", {}, AT_FDCWD);
  if (!program) return std::nullopt;
  options.program = std::move(*program);
  options.program.path = options.program.chain.front().real_path;
  options.arguments = {"attack_tests", std::string("--gtest_filter=") + test->test_suite_name() +
                                           "." + test->name()};
  const auto set = [&](const char* name, const std::string& value) {
    options.environment.push_back(std::string(name) + "=" + value);
  };
  set(kNumber, std::to_string(number));
  set(kRoot, root);
  set(kLauncher, std::to_string(::getpid()));
  set(kRounds, std::to_string(race_rounds()));
  const Fd log(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  options.audit_fd = log.get();
  auto sandbox = launch::Sandbox::start(std::move(options));
  if (!sandbox) {
    std::fprintf(stderr, "attack: %s\n", sandbox.error().message.c_str());
    return std::nullopt;
  }
  sandbox->wait();  // while the log is open
  return std::move(*sandbox);
}

bool may_trap(const policy::Policy& policy) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return false;  // a sanitizer's runtime does not start where another library comes before it
#endif
  const auto program = launch::find_program("/proc/self/exe", {}, AT_FDCWD);
  return program && launch::why_no_trap(policy, *program).empty();
}

// What the attack came to, if the program was served by this transport.
Ended came_of(std::optional<launch::Sandbox> sandbox, const std::string& transport) {
  if (!sandbox) return Ended::kBroken;
  const launch::Ending ending = sandbox->wait();
  if (sandbox->transport() != transport) return Ended::kBroken;
  if (ending.how == launch::How::kExited) return ended_of(ending.number - kConfined);
  return ending.how == launch::How::kNotStarted ? Ended::kBroken : Ended::kKilled;
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
    case Ended::kDiffers:
      return "not the same all ways";
  }
  return "?";
}

Scene::Scene(const std::string& rules) : rules_(rules) {
  if (is_started_anew()) {
    // What the framework says there is nobody's business.
    ::dup2(::open("/dev/null", O_WRONLY | O_CLOEXEC), STDOUT_FILENO);
    return;
  }
  root_ = std::make_unique<TemporaryDirectory>();
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
      std::map<std::string, std::string>{{"scene", with_root(rules, root())}});
}

void Scene::restore() const {
  if (is_started_anew()) return;
  std::filesystem::remove(path("secret/other"));
  std::filesystem::remove(path("allowed/fresh"));
  ::unlink(path("secret/key").c_str());
  write_file(path("secret/key"), kSecret);
  write_file(path("allowed2/key"), kSecret);
  write_file(path("allowed/public"), kPublic);
  ::chmod(path("allowed/public").c_str(), 0644);
}

std::string Scene::root() const {
  return root_ != nullptr ? root_->path() : std::getenv(kRoot);
}

Ended Scene::free(const Attack& attack) const {
  if (is_started_anew()) return Ended::kBroken;
  return run([&] { return attack() ? kExitSucceeded : kExitRefused; });
}

Ended Scene::sealed(const Attack& attack, const Attack& before) const {
  if (is_started_anew()) return Ended::kBroken;
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

Ended Scene::confined(const Attack& attack) const {
  const int number = next_number();
  if (is_started_anew()) {
    if (number != std::atoi(std::getenv(kNumber))) return Ended::kBroken;
    ::_exit(kConfined + (attack() ? kExitSucceeded : kExitRefused));
  }
  const std::string rules = with_root(rules_, root());
  const policy::PolicyPtr policy = load(rules);
  if (policy == nullptr) return Ended::kBroken;
  const Ended by_notify = came_of(start_anew(policy, "", root(), number), "notify");
  const auto preload = launch::find_preload();
  EXPECT_TRUE(preload) << preload.error().message;
  if (!preload || !may_trap(*policy)) return by_notify;
  restore();
  const policy::PolicyPtr with_library =
      load(rules + "file { path: \"" + *preload + "\" allow: READ }\n");
  if (with_library == nullptr) return Ended::kBroken;
  const Ended by_trap = came_of(start_anew(with_library, *preload, root(), number), "trap");
  if (by_trap == by_notify) return by_trap;
  std::fprintf(stderr, "attack: notify: %s, trap: %s\n", to_string(by_notify), to_string(by_trap));
  return Ended::kDiffers;
}

Ended Scene::before_library(const Attack& attack, Expected expected) const {
  const int number = next_number();
  if (is_started_anew()) {
    if (number != std::atoi(std::getenv(kNumber))) return Ended::kBroken;
    ::_exit(kConfined + (attack() ? kExitSucceeded : kExitRefused));
  }
  const auto preload = launch::find_preload();
  const policy::PolicyPtr policy = load(with_root(rules_, root()));
  if (!preload || policy == nullptr) return Ended::kBroken;
  // No rule lets the loader read the library.
  return came_of(start_anew(policy, *preload, root(), number),
                 expected == Expected::kSaysSealed ? "trap" : "notify");
}

Ended Scene::inside(const Attack& attack) const {
  const Ended by_library = sealed(attack);
  restore();
  const Ended by_launcher = confined(attack);
  if (by_library == by_launcher) return by_library;
  std::fprintf(stderr, "attack: sealed: %s, confined: %s\n", to_string(by_library),
               to_string(by_launcher));
  return Ended::kDiffers;
}

bool Scene::prepare(const std::function<bool()>& step) {
  return is_started_anew() || step();
}

pid_t Scene::launcher() {
  const char* text = std::getenv(kLauncher);
  return text != nullptr ? std::atoi(text) : 0;
}

int race_rounds() {
  // Before a seal, which takes TORNO_* out of the environment, and for the program started anew.
  static const int rounds = [] {
    for (const char* name : {"TORNO_RACE_ROUNDS", kRounds}) {
      if (const char* text = std::getenv(name)) return std::atoi(text);
    }
    return 5000;
  }();
  return rounds;
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
