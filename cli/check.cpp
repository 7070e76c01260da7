// torno check FILE…: is the policy right? Loads it as the broker would, and compiles its filter.
#include <CLI/App.hpp>
#include <memory>
#include <string>
#include <vector>

#include "broker/filter/program.h"
#include "cli/command.h"
#include "cli/message.h"
#include "cli/policies.h"

namespace torno::cli {

namespace {

constexpr const char* kFooter =
    "Each message names the place:  torno: FILE:LINE:COL: error: TEXT\n"
    "\n"
    "Examples:\n"
    "  torno check png.policy\n"
    "  torno check --set OUT=/tmp/out policies/*.policy\n"
    "\n"
    "Exit status: 0 no error (warnings do not count), 1 errors, 2 a file cannot be read.";

int check_one(const std::string& word, const policy::LoadOptions& options) {
  const policy::Loaded loaded = load_policy(word, options);
  if (!report(loaded.diagnostics)) return loaded.unreadable ? kExitTrouble : kExitRefused;
  // System call rules are checked where they are compiled.
  if (!report(filter::check(*loaded.policy))) return kExitRefused;
  const Result<filter::Instructions> program = filter::compile(*loaded.policy);
  if (!program) {
    say_error(program.error().message);
    return kExitRefused;
  }
  return kExitOk;
}

struct Arguments {
  std::vector<std::string> files;
  std::vector<std::string> assignments;
};

int check(const Arguments& arguments) {
  const Result<policy::LoadOptions> options = load_options(arguments.assignments);
  if (!options) {
    say_error(options.error().message);
    return kExitTrouble;
  }
  int status = kExitOk;
  for (const std::string& file : arguments.files) {
    status = std::max(status, check_one(file, *options));
  }
  return status;
}

}  // namespace

void add_check(CLI::App& app, int& status) {
  CLI::App* command = app.add_subcommand("check", "Check policies for errors");
  auto arguments = std::make_shared<Arguments>();
  command->add_option("FILE", arguments->files, "A policy file, or the name of a policy")
      ->type_name("")
      ->required();
  command
      ->add_option("--set", arguments->assignments,
                   "What ${NAME} in a policy means; may be repeated")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  command->footer(kFooter);
  command->callback([arguments, &status] { status = check(*arguments); });
}

}  // namespace torno::cli
