#include "tests/broker/notify/supervised.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <iterator>
#include <thread>
#include <utility>

#include "broker/audit/audit.h"
#include "broker/filter/program.h"
#include "broker/notify/supervisor.h"
#include "broker/policy/loader.h"
#include "broker/session/loop.h"
#include "broker/session/services.h"
#include "tests/support/processes.h"

namespace torno::notify::test {
namespace {

constexpr unsigned kWaitKillable = 1U << 5;  // SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
constexpr int kNotLoaded = 99;

policy::PolicyPtr load(const std::string& text) {
  policy::LoadOptions options;
  options.directories = {TORNO_SOURCE_DIR "/policies"};
  policy::Loaded loaded = policy::load_text(text, "t.policy", options);
  for (const auto& diagnostic : loaded.diagnostics) ADD_FAILURE() << diagnostic.text();
  if (loaded.policy == nullptr) std::abort();
  return loaded.policy;
}

int load_listener(const filter::Instructions& program) {
  const sock_fprog filter = {static_cast<unsigned short>(program.size()),
                             const_cast<sock_filter*>(program.data())};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -1;
  return static_cast<int>(::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                                    SECCOMP_FILTER_FLAG_NEW_LISTENER | kWaitKillable, &filter));
}

// A thread that ends holds a lock of libc's for a moment, which the child of a fork alone would
// have for ever: those of the supervisor before shall be gone. Waits a second at most, for threads
// of a test's own stay.
void await_ends_of_threads() {
  const auto threads = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/task"), {});
  };
  static const auto first = threads();
  for (int waited = 0; waited < 1000 && threads() > first; ++waited) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace

// What the child says of itself before its body begins.
struct Birth {
  pid_t pid;
  int listener;
};

Filtered::Filtered(const std::string& policy, const Body& body) {
  await_ends_of_threads();
  const auto program = filter::compile(*load(policy), filter::Transport::kNotify);
  if (!program) std::abort();
  int told[2];
  int go[2];
  int end[2];
  if (::pipe2(told, O_CLOEXEC) != 0 || ::pipe2(go, O_CLOEXEC) != 0) std::abort();
  if (::pipe2(end, O_CLOEXEC) != 0) std::abort();
  keeper_ = torno::test::fork_alone();
  if (keeper_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    const pid_t child = torno::test::fork_alone();
    if (child == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
      for (const int fd : {told[0], go[1], end[0], end[1]}) ::close(fd);
      const Birth birth{::getpid(), load_listener(*program)};
      char byte = 0;
      if (::write(told[1], &birth, sizeof birth) != sizeof birth) ::_exit(kNotLoaded);
      if (birth.listener < 0 || ::read(go[0], &byte, 1) != 0) ::_exit(kNotLoaded);
      for (const int fd : {birth.listener, told[1], go[0]}) ::close(fd);
      ::umask(022);
      ::_exit(body());
    }
    for (const int fd : {told[0], told[1], go[0], go[1], end[0]}) ::close(fd);
    int status = 0;
    ::waitpid(child, &status, 0);
    ::_exit(::write(end[1], &status, sizeof status) == sizeof status ? 0 : 1);
  }
  for (const int fd : {told[1], go[0], end[1]}) ::close(fd);
  go_.reset(go[1]);
  end_.reset(end[0]);
  const Fd reader(told[0]);
  Birth birth{};
  EXPECT_EQ(::read(reader.get(), &birth, sizeof birth), sizeof birth);
  pid_ = birth.pid;
  const Fd process(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  listener_.reset(static_cast<int>(::syscall(SYS_pidfd_getfd, process.get(), birth.listener, 0)));
  EXPECT_TRUE(listener_) << "Linux 5.19 or later is needed: errno " << errno;
}

Filtered::~Filtered() {
  if (pid_ > 0) ::kill(pid_, SIGKILL);
  wait();
}

void Filtered::go() {
  go_.reset();
}

int Filtered::wait() {
  if (pid_ <= 0) return status_;
  EXPECT_EQ(::read(end_.get(), &status_, sizeof status_), sizeof status_);
  ::waitpid(keeper_, nullptr, 0);
  pid_ = -1;
  return status_;
}

struct Supervised::Broker {
  Broker(Fd listener, const std::string& policy, pid_t program)
      : log(::open("/dev/null", O_WRONLY | O_CLOEXEC)),
        auditor(log.get(), audit::Format::kText),
        services(settings(), {}, files(), auditor, 4096) {
    supervisor = std::make_shared<Supervisor>(
        services,
        Supervisor::Options{load(policy), std::move(listener), Fd(), program, ::geteuid(), false});
    ::umask(0);  // files are made with the caller's own
    thread = std::thread([this] { supervisor->serve(); });
  }
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;
  ~Broker() {
    supervisor->stop();
    thread.join();
    constexpr std::chrono::seconds kDrainTime{10};
    EXPECT_TRUE(services.slow_pool.drain(kDrainTime));
    services.closer.drain(kDrainTime);
  }

  static session::Settings settings() {
    session::Settings settings;
    settings.embedded = true;
    return settings;
  }
  static files::Files files() {
    auto made = files::Files::create({});
    if (!made) std::abort();
    return std::move(*made);
  }

  Fd log;
  audit::Auditor auditor;
  session::Services services;
  std::shared_ptr<Supervisor> supervisor;
  std::thread thread;
};

Supervised::Supervised(const std::string& policy, const Body& body)
    : child_(policy, body),
      broker_(std::make_unique<Broker>(child_.take_listener(), policy, child_.pid())) {
  child_.go();
}

// The broker lives longer: it answers nobody after its end, and a child would wait.
Supervised::~Supervised() {
  if (child_.pid() > 0) ::kill(child_.pid(), SIGKILL);
  child_.wait();
}

int run_supervised(const std::string& policy, const Body& body) {
  Supervised child(policy, body);
  const int status = child.wait();
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

struct Record::Shared {
  std::size_t count;
  std::array<long, 1U << 16> values;
};

Record::Record()
    : shared_(static_cast<Shared*>(::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE,
                                          MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {}

Record::~Record() {
  ::munmap(shared_, sizeof(Shared));
}

void Record::clear() {
  shared_->count = 0;
}

void Record::number(long value) {
  if (shared_->count < shared_->values.size()) shared_->values[shared_->count++] = value;
}

void Record::result(long value) {
  const int error = errno;
  number(value);
  number(value < 0 ? error : 0);
}

void Record::bytes(std::span<const std::byte> data) {
  for (const std::byte byte : data) number(static_cast<long>(byte));
}

std::vector<long> Record::numbers() const {
  return {shared_->values.begin(),
          shared_->values.begin() + static_cast<std::ptrdiff_t>(shared_->count)};
}

std::vector<int> open_descriptors() {
  std::vector<int> open;
  for (int fd = 0; fd < 4096; ++fd) {
    if (::fcntl(fd, F_GETFD) >= 0) open.push_back(fd);
  }
  return open;
}

}  // namespace torno::notify::test
