#include "broker/launch/sandbox.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <exception>
#include <fstream>
#include <functional>
#include <memory>
#include <span>
#include <thread>
#include <utility>

#include "broker/backtrace/symbolise.h"
#include "broker/base/fd.h"
#include "broker/files/protected.h"
#include "broker/filter/landlock.h"
#include "broker/filter/program.h"
#include "broker/launch/child.h"
#include "broker/launch/limits.h"
#include "broker/launch/orphans.h"
#include "broker/launch/preload.h"
#include "broker/launch/trap_session.h"
#include "broker/launch/walls.h"
#include "broker/notify/supervisor.h"
#include "broker/session/interrupt.h"
#include "broker/session/services.h"

namespace torno::launch {
namespace {

// Above 2, as whatever a child is handed beside its streams.
Result<Fd> pidfd_open(pid_t process) {
  Fd fd(static_cast<int>(::syscall(SYS_pidfd_open, process, 0)));
  if (!fd) return std::unexpected(system_error("pidfd_open", errno));
  if (fd.get() > STDERR_FILENO) return fd;
  return duplicate(fd.get());
}

Result<Fd> make_go_on() {
  const Fd event(::eventfd(0, EFD_CLOEXEC));
  if (!event) return std::unexpected(system_error("eventfd", errno));
  return duplicate(event.get());
}

// While it lives, this thread takes no signal, so that a child of it does not run the handlers of
// this process.
class HeldSignals {
 public:
  HeldSignals() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~HeldSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;

 private:
  sigset_t before_;
};

bool is_readable(const Fd& fd, int timeout) {
  pollfd ready{fd.get(), POLLIN, 0};
  return ::poll(&ready, 1, timeout) > 0;
}

std::size_t open_files() {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  return files.rlim_cur;
}

void kill_process(const Fd& process, int signal) {
  if (process) ::syscall(SYS_pidfd_send_signal, process.get(), signal, nullptr, 0);
}

// What the kernel said when it was told to execute what find_program() found good.
Ending not_executed(const Program& program, const Word& failed) {
  NotStarted why;
  why.exit_code = failed.number == ENOENT ? NotStarted::kNotFound : NotStarted::kNotExecutable;
  why.message = system_error(escape(program.path), failed.number).message;
  return ending_of(std::move(why));
}

// Init has one child before the program runs. 0: it is gone.
pid_t only_child(pid_t process) {
  const std::string number = std::to_string(process);
  std::ifstream children("/proc/" + number + "/task/" + number + "/children");
  pid_t child = 0;
  return children >> child ? child : 0;
}

std::string why_needed(const policy::PolicyFile& policy, const std::string& wall) {
  const bool for_folder =
      policy.temporary_size() > 0 && wall == policy::Wall_Name(policy::MOUNT_NAMESPACE);
  return for_folder ? "the policy has a temporary folder, which needs " : "the policy requires ";
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  result.reserve(texts.size() + 1);
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

// A program may have children that crash for ever.
constexpr int kMostBacktraces = 32;

void write_line(int output, const std::string& text) {
  // Nobody there to read it is nobody to tell.
  if (::write(output, text.data(), text.size()) < 0) return;
}

// What is written of a thread that stands still, before it dies.
std::function<void()> look_at(int output, pid_t thread, int signal) {
  auto snapshot = std::make_shared<backtrace::Snapshot>(backtrace::take_snapshot(thread));
  return [output, snapshot, signal] {
    const char* name = ::sigabbrev_np(signal);
    std::string text = "torno: backtrace of " + snapshot->title + ", SIG" + name + ":\n";
    for (const std::string& line : backtrace::symbolise(*snapshot)) {
      text += "torno:   " + line + "\n";
    }
    write_line(output, text);
  };
}

session::Settings settings() {
  session::Settings settings;
  settings.embedded = true;
  return settings;
}

}  // namespace

struct Sandbox::State {
  State(Options chosen, files::Files performer)
      : options(std::move(chosen)),
        auditor(options.audit_fd, options.format),
        files(std::move(performer)) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State();

  Result<void> start();
  Result<void> start_in(std::uint64_t namespaces, const Walls& walls, bool& again);
  Result<void> fork_init(std::uint64_t namespaces, const Walls& walls,
                         std::span<const session::ResourceLimit> resources, const Pipe& say,
                         const Fd& go_on);
  static Result<Fd> take(pid_t child, int number);
  Result<void> mount(const RootPlan& root, std::vector<Fd> folders);
  void supervise(Fd listener);
  // Waits. Nothing when init is gone without a word.
  std::optional<Word> hear() const;
  std::optional<Word> read_word() const;
  void note(const Word& word);
  void wait_for_init();
  void end_everybody();

  Options options;
  audit::Auditor auditor;
  files::Files files;                         // until the services have it
  std::optional<session::Services> services;  // once the program's own folders are known
  std::unique_ptr<notify::Tracer> tracer;
  std::shared_ptr<notify::Supervisor> supervisor;
  std::thread thread;  // of the supervisor
  std::unique_ptr<TrapSession> trap;

  Fd words;  // what the children say
  pid_t init = 0;
  Fd init_process;
  Fd proc;            // of the program's pid namespace, if it has one
  pid_t program = 0;  // in this process's pid namespace
  Fd program_process;
  bool time_over = false;
  std::vector<std::string> in_force;  // walls
  Limits limits;
  bool adopts_orphans = false;
  std::optional<Ending> ending;
};

Result<void> Sandbox::State::start() {
  auto walls = make_walls(*options.policy, options.program);
  if (!walls) return std::unexpected(walls.error());
  auto made = Limits::make(options.policy->merged());
  if (!made) return std::unexpected(made.error());
  limits = std::move(*made);
  if (auto filled = fill(options.streams); !filled) return filled;
  adopts_orphans = options.adopt_orphans && adopt_orphans();
  if (!options.preload.empty()) {
    auto session = TrapSession::make(options.policy);
    if (!session) return std::unexpected(session.error());
    trap = std::move(*session);
    add_preload(options.preload, options.environment);
  }
  Result<void> started = std::unexpected(Error{});
  for (const std::uint64_t namespaces : walls->namespaces) {
    const char* missing = missing_namespace(options.policy->merged(), namespaces);
    if (missing != nullptr) {
      return std::unexpected(Error{why_needed(options.policy->merged(), missing) + missing +
                                   ", which this kernel does not give this user (" +
                                   started.error().message + ")"});
    }
    bool again = false;
    started = start_in(namespaces, *walls, again);
    if (!again) break;
  }
  return started;
}

// Once: `again` when fewer namespaces may do.
Result<void> Sandbox::State::start_in(std::uint64_t namespaces, const Walls& walls, bool& again) {
  const auto resources = limits.for_process(namespaces);
  if (!resources) return std::unexpected(resources.error());
  auto say = make_pipe();
  if (!say) return std::unexpected(say.error());
  auto go_on = make_go_on();
  if (!go_on) return std::unexpected(go_on.error());
  if (auto forked = fork_init(namespaces, walls, *resources, *say, *go_on); !forked) {
    again = namespaces != 0;
    return forked;
  }
  say->write.reset();
  words = std::move(say->read);

  auto word = hear();
  std::vector<Fd> folders;
  for (; word; word = hear()) {
    const bool is_proc = word->kind == Word::Kind::kProc;
    if (!is_proc && word->kind != Word::Kind::kFolder) break;
    auto taken = take(init, word->number);
    if (!taken) return std::unexpected(taken.error());
    if (is_proc) {
      proc = std::move(*taken);
    } else {
      folders.push_back(std::move(*taken));
    }
  }
  if (!word)
    return std::unexpected(Error{"the program's first process died before it was confined"});
  if (word->kind == Word::Kind::kTimeOver) {
    return std::unexpected(Error{"the program's wall_time was over before it was confined"});
  }
  if (word->kind != Word::Kind::kConfined) {
    // A program that was swapped meanwhile is no matter of this kernel's.
    const bool refused_root = word->step == Step::kRoot && word->number != ESTALE;
    again = word->step == Step::kNamespaces || word->step == Step::kProc || refused_root;
    wait_for_init();
    return std::unexpected(system_error(name_of(word->step), word->number));
  }
  program = proc ? only_child(init) : word->pid;
  auto listener = take(program, word->number);
  if (!listener) return std::unexpected(listener.error());
  auto process = pidfd_open(program);
  if (!process) return std::unexpected(process.error());
  program_process = std::move(*process);
  if (auto held = limits.hold(program); !held) return held;
  if (auto mounted = mount(walls.root, std::move(folders)); !mounted) return mounted;
  in_force = namespace_names(namespaces);
  if (walls.ruleset) in_force.push_back(policy::Wall_Name(policy::LANDLOCK));
  if (walls.mdwe) in_force.push_back(policy::Wall_Name(policy::MDWE));
  if (limits.has_cgroup()) in_force.push_back(policy::Wall_Name(policy::CGROUP));
  if (trap != nullptr) {
    if (auto served = trap->serve(*services, program, ::geteuid(), proc); !served) return served;
  }
  supervise(std::move(*listener));
  for (Fd& stream : options.streams) stream.reset();
  // Not by a closed descriptor: a process that another thread has forked meanwhile would have it.
  constexpr std::uint64_t kGoOn = 1;
  if (::write(go_on->get(), &kGoOn, sizeof kGoOn) != sizeof kGoOn) {
    return std::unexpected(system_error("eventfd", errno));
  }
  return {};
}

Result<void> Sandbox::State::fork_init(std::uint64_t namespaces, const Walls& walls,
                                       std::span<const session::ResourceLimit> resources,
                                       const Pipe& say, const Fd& go_on) {
  const auto self = pidfd_open(::getpid());
  if (!self) return std::unexpected(self.error());
  const std::vector<char*> arguments = pointers(options.arguments);
  const std::vector<char*> environment = pointers(options.environment);
  Plan plan;
  plan.path = options.program.path.c_str();
  plan.arguments = arguments.data();
  plan.environment = environment.data();
  plan.namespaces = namespaces;
  plan.root = &walls.root;
  plan.user = ::geteuid();
  plan.group = ::getegid();
  plan.filter = walls.filter;
  plan.ruleset = walls.ruleset.get();
  plan.refuse_executable_memory = walls.mdwe;
  plan.limits = resources;
  plan.open_files = walls.open_files;
  plan.wall_time = walls.wall_time;
  plan.umask = options.umask;
  for (std::size_t i = 0; i < options.streams.size(); ++i) {
    plan.streams[i] = options.streams[i].get();
  }
  plan.say = say.write.get();
  plan.go_on = go_on.get();
  if (trap != nullptr) plan.control = trap->control();
  plan.launcher = self->get();
  int pidfd = -1;
  {
    const HeldSignals held;
    init = start_init(plan, pidfd);
    if (init == 0) run_init(plan);
  }
  if (init < 0) return std::unexpected(system_error("cannot start a process", errno));
  init_process.reset(pidfd);
  return {};
}

// A descriptor of a child's.
Result<Fd> Sandbox::State::take(pid_t child, int number) {
  const auto process = pidfd_open(child);
  if (!process) return std::unexpected(process.error());
  Fd taken(static_cast<int>(::syscall(SYS_pidfd_getfd, process->get(), number, 0)));
  if (!taken) {
    return std::unexpected(
        system_error("cannot take a descriptor of the program's process (pidfd_getfd)", errno));
  }
  return taken;
}

Result<void> Sandbox::State::mount(const RootPlan& root, std::vector<Fd> folders) {
  // Without one of them its name would lead to the machine's own folder.
  if (folders.size() != root.temporaries.size()) {
    return std::unexpected(Error{"the program has not all of its temporary folders"});
  }
  for (std::size_t i = 0; i < folders.size(); ++i) {
    auto mounted = files.mount(root.temporaries[i].path, std::move(folders[i]));
    if (!mounted) return mounted;
  }
  services.emplace(settings(), policy::LoadOptions{}, std::move(files), auditor, open_files());
  return {};
}

void Sandbox::State::supervise(Fd listener) {
  if (options.backtrace_fd >= 0) {
    const int output = options.backtrace_fd;
    tracer = std::make_unique<notify::Tracer>([output, count = 0](pid_t dying, int signal) mutable {
      return ++count <= kMostBacktraces ? look_at(output, dying, signal) : std::function<void()>();
    });
    if (!tracer->start(program)) {
      tracer.reset();
      write_line(output, "torno: no backtraces: the program cannot be traced\n");
    }
  }
  supervisor = std::make_shared<notify::Supervisor>(
      *services,
      notify::Supervisor::Options{options.policy, std::move(listener), std::move(proc), program,
                                  ::geteuid(), filter::landlock_abi() > 0,
                                  [this] { kill_process(init_process, SIGTERM); }, tracer.get()});
  const session::InterruptsAlone alone;
  thread = std::thread([this] {
    for (;;) {
      try {
        supervisor->serve();
        return;
      } catch (const std::exception& error) {
        // Out of memory: what it was doing is lost, and the program waits for it for ever.
        kill_process(init_process, SIGTERM);
      }
    }
  });
}

// Of what is there; the end of the pipe tells nothing, since others may hold it open.
std::optional<Word> Sandbox::State::read_word() const {
  constexpr int kDoNotWait = 0;
  Word word;
  if (!is_readable(words, kDoNotWait)) return std::nullopt;
  if (::read(words.get(), &word, sizeof word) != sizeof word) return std::nullopt;
  return word;
}

std::optional<Word> Sandbox::State::hear() const {
  std::array<pollfd, 2> ready{{{words.get(), POLLIN, 0}, {init_process.get(), POLLIN, 0}}};
  while (::poll(ready.data(), ready.size(), -1) < 0 && errno == EINTR) {
  }
  return read_word();
}

void Sandbox::State::note(const Word& word) {
  if (word.kind == Word::Kind::kEnded && !ending) {
    Known known;
    if (time_over) known.time = options.policy->merged().limit().wall_time();
    known.memory = limits.memory_used_up();
    known.refused_call = supervisor->refused_call();
    ending = ending_of(word.number, known);
  } else if (word.kind == Word::Kind::kTimeOver) {
    time_over = true;
  } else if (word.kind == Word::Kind::kFailed) {
    ending = not_executed(options.program, word);
  }
}

void Sandbox::State::wait_for_init() {
  if (init <= 0) return;
  while (::waitpid(init, nullptr, __WALL) < 0 && errno == EINTR) {
  }
  init = 0;
}

// Init is gone, and with it everybody, unless it was killed itself.
void Sandbox::State::end_everybody() {
  kill_process(program_process, SIGKILL);
  wait_for_init();
  if (tracer) tracer->stop();  // what it has to say is said
  limits.end();
  if (adopts_orphans) end_orphans();
}

Sandbox::State::~State() {
  if (init > 0) kill_process(init_process, SIGTERM);
  end_everybody();
  if (!thread.joinable()) return;
  supervisor->stop();
  thread.join();
  if (trap != nullptr) trap->stop();
  constexpr std::chrono::seconds kDrainTime{2};
  const bool drained = services->slow_pool.drain(kDrainTime);
  if (trap != nullptr) {
    trap->finish();
    // A thread that is stuck in the kernel says what it has done on the session's loop.
    if (!drained) static_cast<void>(trap.release());
  }
  services->closer.drain(kDrainTime);
}

Sandbox::Sandbox(std::unique_ptr<State> state) : state_(std::move(state)) {}
Sandbox::Sandbox(Sandbox&&) noexcept = default;
Sandbox::~Sandbox() = default;

Result<Sandbox> Sandbox::start(Options options) {
  auto files = files::Files::create(files::brokers_own("", options.policy_directories));
  if (!files) return std::unexpected(files.error());
  auto state = std::make_unique<State>(std::move(options), std::move(*files));
  if (auto started = state->start(); !started) return std::unexpected(started.error());
  return Sandbox(std::move(state));
}

int Sandbox::fd() const {
  return state_->init_process.get();
}

std::optional<Ending> Sandbox::step() {
  State& state = *state_;
  if (state.ending && state.init == 0) return state.ending;
  constexpr int kDoNotWait = 0;
  if (!is_readable(state.init_process, kDoNotWait)) return std::nullopt;
  while (const auto word = state.read_word()) state.note(*word);
  state.end_everybody();
  if (!state.ending) state.ending = ending_of_failure("the process that watches the program died");
  return state.ending;
}

Ending Sandbox::wait() {
  for (;;) {
    if (auto ending = step()) return *ending;
    is_readable(state_->init_process, -1);
  }
}

std::vector<std::string> Sandbox::walls() const {
  return state_->in_force;
}

std::vector<std::string> Sandbox::limits() const {
  return state_->limits.names();
}

const char* Sandbox::transport() const {
  return state_->trap != nullptr && state_->trap->is_sealed() ? "trap" : "notify";
}

std::uint64_t Sandbox::denials() const {
  return state_->supervisor->denials() + (state_->trap != nullptr ? state_->trap->denials() : 0);
}

pid_t Sandbox::pid() const {
  return state_->program;
}

void Sandbox::signal(int number) {
  kill_process(state_->program_process, number);
}

void Sandbox::kill() {
  kill_process(state_->init_process, SIGTERM);
}

}  // namespace torno::launch
