// Any bytes as a policy: it loads or it does not, and what loads decides. A message is one line
// of printable ASCII, whatever the policy holds; a deny holds, and so do the broker's own places.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "broker/policy/loader.h"
#include "broker/policy/path_pattern.h"

using torno::policy::Diagnostic;
using torno::policy::Loaded;
using torno::policy::Policy;

namespace {

void must(bool holds) {
  if (!holds) std::abort();
}

// What a rule says of one path by its name, whatever the others say.
void check_file_rules(const Policy& policy) {
  for (const auto& rule : policy.merged().file()) {
    const auto pattern = torno::policy::PathPattern::parse(rule.path());
    must(pattern.has_value());
    if (!pattern->is_literal()) continue;
    const std::string path = pattern->literal_prefix();
    for (const int denied : rule.deny()) {
      if (denied == torno::policy::READ) {
        must(!policy.decide_file(path, torno::policy::kRead).allowed);
        must(!policy.decide_file(path, torno::policy::kStat).allowed);
      } else if (denied == torno::policy::WRITE) {
        must(!policy.decide_file(path, torno::policy::kWrite).allowed);
      }
    }
  }
}

void check_protected(const Policy& policy) {
  torno::policy::Endpoint endpoint;
  endpoint.kind = torno::policy::Endpoint::Kind::kUnixPath;
  for (const char* path : {"/run/torno", "/run/torno/broker.sock", "/run/torno/a/b"}) {
    must(!policy.decide_file(path, torno::policy::kRead).allowed);
    must(!policy.decide_file(path, torno::policy::kCreate).allowed);
    endpoint.name = path;
    must(!policy.decide_connect(endpoint).allowed);
  }
}

// Of what the inputs in corpus/ have rules about.
void decide(const Policy& policy) {
  for (const char* path : {"/", "/tmp/x", "/srv/data/x.db", "/src/a/b.h", "/dev/null"}) {
    policy.decide_file(path, torno::policy::kRead);
  }
  using torno::policy::Endpoint;
  Endpoint endpoint;
  endpoint.address = {10, 0, 0, 1};
  endpoint.port = 445;
  for (const auto kind :
       {Endpoint::Kind::kIpv4, Endpoint::Kind::kIpv6, Endpoint::Kind::kUnixAbstract}) {
    endpoint.kind = kind;
    if (kind == Endpoint::Kind::kUnixAbstract) endpoint.name = "fontd-1";
    policy.decide_connect(endpoint);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  torno::policy::LoadOptions options;
  options.variables = {
      {"HOME", "/home/me"}, {"TMPDIR", "/tmp"}, {"UID", "1000"}, {"ODD", "*?\\[${X}"}};
  options.protected_paths = {"/run/torno"};
  const Loaded loaded = torno::policy::load_text(text, "fuzz.policy", options);

  bool error = false;
  for (const Diagnostic& diagnostic : loaded.diagnostics) {
    error = error || diagnostic.severity == Diagnostic::Severity::kError;
    for (const char c : diagnostic.text()) must(c >= 0x20 && c <= 0x7e);
  }
  must(error == (loaded.policy == nullptr));
  if (loaded.policy == nullptr) return 0;
  check_file_rules(*loaded.policy);
  check_protected(*loaded.policy);
  decide(*loaded.policy);
  return 0;
}
