// Seals a libFuzzer program before it reads its first input.
//
// libFuzzer calls LLVMFuzzerInitialize before anything else: no thread of its own runs yet, for
// which torno_enter would refuse, and the corpus has not been looked at.
#include <torno/torno.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

namespace {

constexpr std::string_view kArtifactPrefix = "-artifact_prefix=";

[[noreturn]] void fail(const std::string& message) {
  std::fprintf(stderr, "torno-png-fuzz: error: %s\n", message.c_str());
  std::exit(1);  // never go on unconfined
}

struct Places {
  std::string corpus;
  std::string artifacts;
};

// As libFuzzer reads them: what begins with '-' is an option, the rest are folders or files.
Places places(int argc, char** argv) {
  Places found;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word.starts_with(kArtifactPrefix)) {
      found.artifacts = word.substr(kArtifactPrefix.size());
    } else if (!word.starts_with('-')) {
      if (!found.corpus.empty()) fail("name one corpus folder, or one input, not several");
      found.corpus = word;
    }
  }
  // Without a prefix libFuzzer would write into whatever folder it was started in.
  if (found.corpus.empty() || found.artifacts.find('/') == std::string::npos) {
    fail("use torno-png-fuzz -artifact_prefix=ARTIFACTS/ [LIBFUZZER OPTIONS] CORPUS");
  }
  found.artifacts.erase(found.artifacts.rfind('/') + 1);
  return found;
}

void set(const std::string& name, const std::string& path) {
  char* const real = realpath(path.c_str(), nullptr);
  if (real == nullptr) fail("cannot find " + path + ": " + std::strerror(errno));
  if (torno_set((name + "=" + real).c_str()) != 0) {
    fail("cannot tell the policy about " + path + ": " + std::strerror(errno));
  }
  std::free(real);
}

}  // namespace

// Sealed, ASan can start no symbolizer, and cannot look for leaks, which takes ptrace.
extern "C" const char* __asan_default_options() {
  return "symbolize=0:detect_leaks=0";
}

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  const Places found = places(*argc, *argv);
  set("CORPUS", found.corpus);
  set("ARTIFACTS", found.artifacts);
  char error[TORNO_ERROR_SIZE];
  if (torno_enter(TORNO_FUZZ_POLICY, 0, error, sizeof error) != 0) fail(error);
  return 0;
}
