// torno-plugin-host: runs a shared object that nobody vouches for.
//
// Its constructors run inside dlopen, before the host could look at anything, so the host seals
// itself first. The plugin may compute and print; every other attempt is refused and named.
#include <dlfcn.h>
#include <torno/torno.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "examples/plugin/plugin.h"
#include "examples/plugin/refusals.h"

namespace {

enum Exit { kDone = 0, kBadPlugin = 1, kBadUsage = 2, kNotSealed = 3 };

constexpr char kUsage[] =
    "usage: torno-plugin-host PLUGIN.so [ARGUMENT...]\n"
    "Seals itself, loads PLUGIN.so and calls its plugin_run with the arguments.\n";

int fail(Exit status, const std::string& message) {
  std::fprintf(stderr, "torno-plugin-host: error: %s\n", message.c_str());
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], "--help") == 0) {
    std::fputs(kUsage, stdout);
    return kDone;
  }
  if (argc < 2 || argv[1][0] == '-') {
    std::fputs(kUsage, stderr);
    return kBadUsage;
  }
  char* plugin = realpath(argv[1], nullptr);
  if (plugin == nullptr) {
    return fail(kBadPlugin, std::string("cannot open ") + argv[1] + ": " + std::strerror(errno));
  }
  if (torno_set((std::string("PLUGIN=") + plugin).c_str()) != 0) {
    return fail(kBadUsage, std::string("the path is too long: ") + plugin);
  }
  char error[TORNO_ERROR_SIZE];
  if (torno_enter(TORNO_PLUGIN_POLICY, 0, error, sizeof error) != 0) {
    return fail(kNotSealed, error);
  }
  torno::examples::name_refusals();

  void* library = dlopen(plugin, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return fail(kBadPlugin, dlerror());
  const auto run = reinterpret_cast<plugin_run_function>(dlsym(library, "plugin_run"));
  if (run == nullptr) return fail(kBadPlugin, std::string(plugin) + " exports no plugin_run");
  const int result = run(argc - 2, argv + 2);
  std::printf("torno-plugin-host: the plugin returned %d; the host goes on\n", result);
  std::free(plugin);
  return kDone;
}
