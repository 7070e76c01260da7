// torno-png: decodes a PNG that nobody vouches for.
//
// It seals itself first. From then on every open goes to the broker, so a file that takes over
// libpng gets what the policy says and no more: with the default one, this input and this output.
#include <torno/torno.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "examples/png/decode.h"
#include "examples/png/pnm.h"

namespace {

using torno::examples::Image;

enum Exit { kDone = 0, kBadPicture = 1, kBadUsage = 2, kNotSealed = 3, kNoAccess = 4 };

constexpr char kUsage[] =
    "usage: torno-png [--policy NAME|FILE] [--set NAME=VALUE]... IN.png OUT.pnm\n"
    "Decodes IN.png, sealed, and writes it as PBM, PGM or PPM.\n"
    "Without --policy, reading IN.png and writing OUT.pnm is all that is allowed.\n";

struct File {
  std::string name;  // as the command line has it, for messages
  std::string path;  // that is opened
};

struct Options {
  bool help = false;
  std::string policy;
  std::vector<std::string> variables;  // "NAME=VALUE"
  File input;
  File output;
};

int fail(Exit status, const std::string& message) {
  std::fprintf(stderr, "torno-png: error: %s\n", message.c_str());
  return status;
}

bool parse(int argc, char** argv, Options& options) {
  std::vector<std::string> files;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--help") {
      options.help = true;
      return true;
    }
    if ((word == "--policy" || word == "--set") && i + 1 == argc) return false;
    if (word == "--policy") {
      options.policy = argv[++i];
    } else if (word == "--set") {
      options.variables.emplace_back(argv[++i]);
    } else if (word.starts_with("--")) {
      return false;
    } else {
      files.push_back(word);
    }
  }
  if (files.size() != 2) return false;
  options.input = {files[0], files[0]};
  options.output = {files[1], files[1]};
  return true;
}

// The path without symlinks: rules are about what a path leads to, and the links and directories
// on the way there need no rule when nobody goes that way.
bool resolve(File& file) {
  std::error_code error;
  // First absolute: of a relative path whose first component is missing nothing would be resolved.
  std::filesystem::path path = std::filesystem::absolute(file.name, error);
  if (!error) path = std::filesystem::weakly_canonical(path, error);
  if (!error) {
    file.path = path.string();
    return true;
  }
  fail(kNoAccess, "cannot find " + file.name + ": " + error.message());
  return false;
}

// The default policy allows the two files of the command line, which is still to be trusted now.
bool use_default_policy(Options& options) {
  if (!resolve(options.input) || !resolve(options.output)) return false;
  options.policy = TORNO_PNG_POLICY;
  options.variables.push_back("INPUT=" + options.input.path);
  options.variables.push_back("OUTPUT=" + options.output.path);
  return true;
}

int decode(const Options& options) {
  std::FILE* file = std::fopen(options.input.path.c_str(), "rb");
  if (file == nullptr) {
    return fail(kNoAccess, "cannot open " + options.input.name + ": " + std::strerror(errno));
  }
  const std::expected<Image, std::string> image = torno::examples::decode_png(file);
  std::fclose(file);
  if (!image) return fail(kBadPicture, options.input.name + ": " + image.error());
  const auto written = torno::examples::write_file(options.output.path, to_pnm(*image));
  if (!written) {
    const auto& [what, error] = written.error();
    return fail(kNoAccess, std::string("cannot ") + what + " " + options.output.name + ": " +
                               std::strerror(error));
  }
  return kDone;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!parse(argc, argv, options)) {
    std::fputs(kUsage, stderr);
    return kBadUsage;
  }
  if (options.help) {
    std::fputs(kUsage, stdout);
    return kDone;
  }
  if (options.policy.empty() && !use_default_policy(options)) return kNoAccess;
  for (const std::string& assignment : options.variables) {
    if (torno_set(assignment.c_str()) != 0) {
      return fail(kBadUsage, "cannot set " + assignment + ": " + std::strerror(errno));
    }
  }
  char error[TORNO_ERROR_SIZE];
  if (torno_enter(options.policy.c_str(), 0, error, sizeof error) != 0) {
    return fail(kNotSealed, error);
  }
  return decode(options);
}
