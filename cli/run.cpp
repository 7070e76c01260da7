// torno run: any program, confined from its first instruction.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/App.hpp>
#include <array>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "broker/launch/environment.h"
#include "broker/launch/preload.h"
#include "broker/launch/run_policy.h"
#include "broker/launch/sandbox.h"
#include "cli/command.h"
#include "cli/message.h"
#include "cli/policies.h"
#include "cli/report.h"

namespace torno::cli {

namespace {

constexpr const char* kFooter =
    "The program, its interpreter and its loader need no rule. Without --policy and --profile the\n"
    "policy is `base`: libraries, locales, time zones, and nothing of the user's.\n"
    "\n"
    "Examples:\n"
    "  torno run --read paper.pdf -- pdftotext paper.pdf -\n"
    "  torno run --policy convert.policy --set OUT=/tmp/out -- convert in.png /tmp/out/a.jpg\n"
    "  torno run --policy make --read . --write . --verbose -- make\n"
    "\n"
    "Exit status: the program's; 128+N when signal N ended it; 125 when Torno itself failed, 126\n"
    "when the program cannot be executed, 127 when there is none.";

constexpr const char* kTrap = "trap";
constexpr const char* kNotify = "notify";

struct Arguments {
  launch::RunPolicy policy;
  std::vector<std::string> environment;
  std::string mode;
  std::string log_format;
  std::string report;
  bool verbose = false;
};

std::vector<std::string> caller_environment() {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    variables.emplace_back(*variable);
  }
  return variables;
}

std::optional<std::string_view> path_variable() {
  const char* path = std::getenv("PATH");
  if (path == nullptr) return std::nullopt;
  return path;
}

// Signals that are meant for the program: its session has no terminal that would send them.
constexpr std::array<int, 7> kForwarded = {SIGINT,  SIGTERM, SIGHUP, SIGQUIT,
                                           SIGUSR1, SIGUSR2, SIGCONT};

// Before any thread is started: all of them hold the signals back.
Fd take_signals() {
  sigset_t forwarded;
  ::sigemptyset(&forwarded);
  for (const int signal : kForwarded) ::sigaddset(&forwarded, signal);
  ::sigprocmask(SIG_BLOCK, &forwarded, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  return Fd(::signalfd(-1, &forwarded, SFD_CLOEXEC | SFD_NONBLOCK));
}

bool asks_for_end(int signal) {
  return signal == SIGINT || signal == SIGTERM || signal == SIGHUP || signal == SIGQUIT;
}

launch::Ending wait_for(launch::Sandbox& sandbox, const Fd& signals) {
  std::array<pollfd, 2> ready{{{sandbox.fd(), POLLIN, 0}, {signals.get(), POLLIN, 0}}};
  int asked = 0;
  for (;;) {
    ::poll(ready.data(), ready.size(), -1);
    if (ready[0].revents != 0) {
      if (auto ending = sandbox.step()) return *ending;
    }
    signalfd_siginfo signal{};
    while (::read(signals.get(), &signal, sizeof signal) == sizeof signal) {
      const auto number = static_cast<int>(signal.ssi_signo);
      if (asks_for_end(number) && ++asked > 1) {
        sandbox.kill();  // it had its chance
      } else {
        sandbox.signal(number);
      }
    }
  }
}

// As many descriptors as the kernel lets this process have: every slow call holds some.
void raise_open_files() {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
}

// Where audit events go: nowhere, unless they are asked for.
Fd open_log(const Arguments& arguments) {
  if (arguments.verbose || !arguments.log_format.empty()) {
    return Fd(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3));
  }
  return Fd(::open("/dev/null", O_WRONLY | O_CLOEXEC));
}

// What is known of the run when it ends.
struct Run {
  const Arguments& arguments;
  mode_t mask;  // of this process's caller, and so of the program
  std::string program;
  std::string policy;
  std::vector<std::string> walls;
  std::vector<std::string> limits;
  std::uint64_t denials = 0;
  std::string transport;  // empty: nothing was started

  int end(const launch::Ending& ending) const {
    if (ending.how != launch::How::kExited) say_error(launch::describe(ending));
    return report(ending);
  }
  int report(const launch::Ending& ending) const {
    if (arguments.report.empty()) return launch::exit_code(ending);
    const auto written = write_report(arguments.report, event(ending), mask);
    if (written) return launch::exit_code(ending);
    say_error(written.error().message);
    return kExitFailed;
  }
  int fail(const std::string& message) const { return end(launch::ending_of_failure(message)); }

  audit::Event event(const launch::Ending& ending) const {
    audit::Event event;
    event.set_policy(policy);
    event.set_uid(::geteuid());
    audit::ProgramEnded& ended = *event.mutable_program_ended();
    ended.set_how(launch::audit_name(ending));
    ended.set_number(ending.number);
    ended.set_description(launch::describe(ending));
    ended.set_program(program);
    ended.set_call(ending.call.name);
    ended.set_arguments(ending.call.arguments);
    ended.set_denials(denials);
    ended.set_transport(transport);
    ended.mutable_walls()->Assign(walls.begin(), walls.end());
    ended.mutable_limits()->Assign(limits.begin(), limits.end());
    return event;
  }
};

int unknown_option(const std::string& word) {
  say_error("there is no option '" + escape(word) +
            "'; see 'torno run --help', and put '--' before a program of that name");
  return kExitFailed;
}

int run(const Arguments& arguments, const std::vector<std::string>& command) {
  // Files are made with the program's own mask.
  Run run{arguments, ::umask(0), command.empty() ? std::string() : command.front(), {}, {}, {},
          0,         {}};
  if (command.empty()) return run.fail("say what to run: torno run [OPTIONS] -- PROGRAM ARGUMENTS");
  auto program = launch::find_program(command.front(), path_variable(), AT_FDCWD);
  if (!program) return run.end(launch::ending_of(program.error()));
  auto options = load_options(arguments.policy.assignments);
  if (!options) return run.fail(options.error().message);
  const bool by_trap = arguments.mode == kTrap;
  const auto preload = by_trap ? launch::find_preload() : std::string();
  if (!preload) return run.fail(preload.error().message);
  const launch::RunLoaded loaded =
      launch::load_run_policy(arguments.policy, *program, *preload, *options);
  report(loaded.diagnostics);
  const policy::PolicyPtr& policy = loaded.policy;
  if (policy == nullptr) return run.report(launch::ending_of_failure("the policy has errors"));
  const std::string why_not = by_trap ? launch::why_no_trap(*policy, *program) : std::string();
  if (!why_not.empty()) return run.fail("--mode trap: " + why_not + "; use --mode notify");
  run.policy = policy->name();
  auto environment =
      launch::make_environment(policy->merged(), caller_environment(), arguments.environment);
  if (!environment) return run.fail(environment.error().message);

  const Fd log = open_log(arguments);
  const Fd signals = take_signals();
  raise_open_files();
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  launch::Options start;
  start.policy = policy;
  start.program = std::move(*program);
  start.arguments = command;
  start.environment = std::move(*environment);
  start.policy_directories = options->directories;
  start.preload = *preload;
  start.umask = run.mask;
  start.audit_fd = log.get();
  start.adopt_orphans = true;
  if (arguments.verbose) start.backtrace_fd = log.get();
  if (arguments.log_format == "json") start.format = audit::Format::kJson;
  auto sandbox = launch::Sandbox::start(std::move(start));
  if (!sandbox) return run.fail(sandbox.error().message);
  run.walls = sandbox->walls();
  run.walls.insert(run.walls.begin(), "SECCOMP");
  run.limits = sandbox->limits();
  const launch::Ending ending = wait_for(*sandbox, signals);
  run.denials = sandbox->denials();
  run.transport = sandbox->transport();
  if (by_trap && run.transport != kTrap) {
    say_error("--mode trap: the program did not load Torno's library; it was served by notify");
  }
  const int code = run.end(ending);
  // Nobody of the program is left. What is, is this process's own, and the kernel takes it faster
  // than it could be given back.
  ::_exit(code);
}

}  // namespace

void add_run(CLI::App& app, std::vector<std::string> words, int& status) {
  CLI::App* command = app.add_subcommand("run", "Run a program confined");
  auto arguments = std::make_shared<Arguments>();
  const auto add = [&](const char* name, std::vector<std::string>& values, const char* help,
                       const char* type) {
    command->add_option(name, values, help)->type_name(type)->allow_extra_args(false);
  };
  add("--policy", arguments->policy.policies, "A policy: a path with / or .policy, or a name",
      "POLICY");
  add("--profile", arguments->policy.profiles, "A profile, as NO_NETWORK", "NAME");
  add("--read", arguments->policy.read, "A file, or a folder with all beneath, may be read",
      "PATH");
  add("--write", arguments->policy.write, "The same may be read, written and made", "PATH");
  add("--set", arguments->policy.assignments, "What ${NAME} in a policy means", "NAME=VALUE");
  add("--env", arguments->environment, "Sets a variable for the program, or keeps the caller's",
      "NAME[=VALUE]");
  command
      ->add_option("--mode", arguments->mode,
                   "How file calls reach the broker; notify unless it is said")
      ->type_name("trap|notify")
      ->check(CLI::IsMember({kTrap, kNotify}).description(""));
  command->add_flag("--verbose", arguments->verbose,
                    "Say what is refused, as it happens, and where a program crashes");
  command
      ->add_option("--log-format", arguments->log_format,
                   "The same as text or json: an audit event a line")
      ->type_name("text|json")
      ->check(CLI::IsMember({"text", "json"}).description(""));
  command
      ->add_option("--report", arguments->report,
                   "Writes how the program ended to this file, as JSON")
      ->type_name("FILE");
  command->prefix_command();
  command->footer(kFooter);
  command->callback([command, arguments, words = std::move(words), &status] {
    std::vector<std::string> all = command->remaining();  // the program, where it needed no "--"
    const bool is_option = !all.empty() && all.front().starts_with('-');
    // "--" is the program's where that has begun before.
    const bool is_ours = all.empty() && !words.empty();
    all.insert(all.end(), words.begin() + (is_ours ? 1 : 0), words.end());
    status = is_option ? unknown_option(all.front()) : run(*arguments, all);
  });
}

}  // namespace torno::cli
