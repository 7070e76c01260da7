// torno: the command line. Every subcommand is a file of its own, named for it.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "broker/base/error.h"
#include "cli/command.h"
#include "cli/message.h"
#include "proto/wire.pb.h"

namespace torno::cli {

namespace {

constexpr const char* kFooter =
    "Examples:\n"
    "  torno run --read paper.pdf -- pdftotext paper.pdf -  run a program confined\n"
    "  torno check png.policy                           is the policy right?\n"
    "  torno why --policy png.policy READ /etc/shadow   which rule decides?\n"
    "  torno syscall openat                             what becomes of this call?\n"
    "  torno status 4711                                how is this process confined?\n"
    "\n"
    "'torno COMMAND --help' tells more. Exit status: 0 yes, 1 no (errors in a policy, access\n"
    "denied), 2 no answer (a wrong argument, something that cannot be read); that of 'run' is the\n"
    "program's.";

std::string version() {
  return "torno " TORNO_VERSION " (wire " + std::to_string(wire::VERSION) + ")";
}

// CLI11 reports an unknown command as an argument it did not expect, after the missing command.
std::string explain(const CLI::App& app, const CLI::ParseError& error) {
  const std::vector<std::string> extra = app.remaining();
  if (app.get_subcommands().empty() && !extra.empty()) {
    const bool option = extra.front().starts_with('-');
    return std::string(option ? "there is no option '" : "there is no command '") +
           escape(extra.front()) + "'; see 'torno --help'";
  }
  std::string text = error.what();
  std::replace(text.begin(), text.end(), '\n', ' ');
  const CLI::App* at = app.get_subcommands().empty() ? &app : app.get_subcommands().front();
  const std::string help = at == &app ? "torno --help" : "torno " + at->get_name() + " --help";
  return escape(text) + "; see '" + help + "'";
}

// Takes "--" and what stands behind it off the words of `torno run`: a program may have options
// that are spelled as Torno's.
std::vector<std::string> take_command(std::vector<std::string>& words) {
  if (words.empty() || words.front() != "run") return {};
  const auto dashes = std::ranges::find(words, "--");
  if (dashes == words.end()) return {};
  std::vector<std::string> command(dashes, words.end());
  words.erase(dashes, words.end());
  return command;
}

int run(int argc, char** argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  std::vector<std::string> command = take_command(words);
  CLI::App app{
      "Torno confines programs that read untrusted input: their file and socket calls\n"
      "are decided by a policy. This command runs any program confined, and answers\n"
      "questions about policies and confined processes.",
      "torno"};
  int status = kExitOk;
  app.set_version_flag("--version", version(), "Print the version of Torno and of its wire");
  app.set_help_flag("-h,--help", "Print this help");
  app.footer(kFooter);
  app.require_subcommand(1);
  add_run(app, std::move(command), status);
  add_check(app, status);
  add_why(app, status);
  add_syscall(app, status);
  add_status(app, status);

  try {
    std::ranges::reverse(words);  // as CLI11 takes them
    app.parse(std::move(words));
  } catch (const CLI::Success& success) {
    app.exit(success);  // --help and --version print themselves
  } catch (const CLI::ParseError& error) {
    say_error(explain(app, error));
    return app.got_subcommand("run") ? kExitFailed : kExitTrouble;
  }
  // An answer nobody could read (a full disk, a closed pipe) is no answer.
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    say_error("cannot write the answer to standard output");
    return kExitTrouble;
  }
  return status;
}

}  // namespace

}  // namespace torno::cli

int main(int argc, char** argv) {
  return torno::cli::run(argc, argv);
}
