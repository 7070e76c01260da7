// Any bytes as a policy: it loads or it does not, and what loads decides. A message is one line
// of printable ASCII, whatever the policy holds.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "broker/policy/loader.h"

using torno::policy::Diagnostic;
using torno::policy::Loaded;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  torno::policy::LoadOptions options;
  options.variables = {{"HOME", "/home/me"}, {"TMPDIR", "/tmp"}, {"ODD", "*/?\\[${X}"}};
  options.protected_paths = {"/run/torno"};
  const Loaded loaded = torno::policy::load_text(text, "fuzz.policy", options);

  bool error = false;
  for (const Diagnostic& diagnostic : loaded.diagnostics) {
    error = error || diagnostic.severity == Diagnostic::Severity::kError;
    for (const char c : diagnostic.text()) {
      if (c < 0x20 || c > 0x7e) std::abort();
    }
  }
  if (error != (loaded.policy == nullptr)) std::abort();
  if (loaded.policy == nullptr) return 0;

  for (const char* path : {"/", "/tmp/x", "/home/me/a/b", "/run/torno/broker.sock", "no path"}) {
    if (loaded.policy->decide_file(path, torno::policy::kRead).allowed &&
        std::string(path).starts_with("/run/torno")) {
      std::abort();
    }
  }
  torno::policy::Endpoint endpoint;
  endpoint.kind = torno::policy::Endpoint::Kind::kUnixPath;
  endpoint.name = "/run/torno/broker.sock";
  if (loaded.policy->decide_connect(endpoint).allowed) std::abort();
  return 0;
}
