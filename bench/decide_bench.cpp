// decide() over ten to a hundred thousand rules: its time must not follow their number.
//
// Each benchmark asks 64 paths in turn, spread over the rules, that a rule allows; a run over
// 100,000 rules may take at most twice the time of one over ten.
#include <benchmark/benchmark.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "broker/policy/loader.h"
#include "broker/policy/policy.h"

namespace torno::policy {
namespace {

constexpr std::size_t kPaths = 64;

// How the path of rule `i` is written, and a path that it allows.
struct Kind {
  std::string (*rule)(long i);
  std::string (*path)(long i);
};

constexpr Kind kLiteral = {[](long i) { return "/data/user" + std::to_string(i) + "/x"; },
                           [](long i) { return "/data/user" + std::to_string(i) + "/x"; }};
constexpr Kind kDirectory = {
    [](long i) { return "/data/user" + std::to_string(i) + "/**"; },
    [](long i) { return "/data/user" + std::to_string(i) + "/some/file"; }};
constexpr Kind kGlob = {[](long i) { return "/data/user" + std::to_string(i) + "*/x"; },
                        [](long i) { return "/data/user" + std::to_string(i) + "-home/x"; }};
// Globs of which a path matches several and none covers another: the work itself grows a little,
// with the number of digits.
constexpr Kind kNested = {
    [](long i) { return "/data/user" + std::to_string(i) + "*/x" + std::to_string(i); },
    [](long i) { return "/data/user" + std::to_string(i) + "-home/x" + std::to_string(i); }};
constexpr Kind kDeepGlob = {
    [](long i) { return "/data/**/user" + std::to_string(i) + "-*.png"; },
    [](long i) { return "/data/some/user" + std::to_string(i) + "-photo.png"; }};

PolicyPtr make_policy(const Kind& kind, long rules) {
  std::string text;
  for (long i = 0; i < rules; ++i) {
    text += "file { path: \"" + kind.rule(i) + "\" allow: READ }\n";
  }
  PolicyPtr policy = load_text(text, "bench.policy", {}).policy;
  if (policy == nullptr) {
    std::fputs("the policy of the benchmark does not load\n", stderr);
    std::abort();
  }
  return policy;
}

void decide_file(benchmark::State& state, const Kind& kind) {
  const long rules = state.range(0);
  const PolicyPtr policy = make_policy(kind, rules);
  std::array<std::string, kPaths> paths;
  for (std::size_t i = 0; i < kPaths; ++i) {
    // A stride that shares no factor with the powers of ten spreads the paths over the rules.
    paths[i] = kind.path(static_cast<long>(i) * 15'731 % rules);
    if (!policy->decide_file(paths[i], kRead).allowed) {
      state.SkipWithError("a path of the benchmark is denied");
      return;
    }
  }
  std::size_t next = 0;
  for ([[maybe_unused]] auto _ : state) {
    benchmark::DoNotOptimize(policy->decide_file(paths[next], kRead));
    next = (next + 1) % kPaths;
  }
}

BENCHMARK_CAPTURE(decide_file, literal, kLiteral)->RangeMultiplier(10)->Range(10, 100'000);
BENCHMARK_CAPTURE(decide_file, directory, kDirectory)->RangeMultiplier(10)->Range(10, 100'000);
BENCHMARK_CAPTURE(decide_file, glob, kGlob)->RangeMultiplier(10)->Range(10, 100'000);
BENCHMARK_CAPTURE(decide_file, nested, kNested)->RangeMultiplier(10)->Range(10, 100'000);
BENCHMARK_CAPTURE(decide_file, deep_glob, kDeepGlob)->RangeMultiplier(10)->Range(10, 100'000);

}  // namespace
}  // namespace torno::policy

BENCHMARK_MAIN();
