// torno_bench: what a brokered call costs, against floors measured in the same run.
//
// Every variant has a worker process that lives through all rounds; the rounds of all variants
// are interleaved at random (Google Benchmark's own way), and the medians are compared.
//
//     torno_bench [--table FILE] [--benchmark_...]
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "bench/report.h"
#include "bench/variants.h"

namespace {

using namespace torno::bench;

constexpr std::uint32_t kCallsARound = 2'000;
constexpr int kRounds = 25;
constexpr int kEntersARound = 10;

// A directory of one's own with the measured file and the policy, gone at the end.
class Scene {
 public:
  Scene() {
    char path[] = "/tmp/torno-bench.XXXXXX";
    if (mkdtemp(path) == nullptr) {
      std::perror("torno_bench: cannot make a directory in /tmp");
      std::exit(1);
    }
    directory_ = path;
    std::filesystem::create_directory(directory_ + "/data");
    std::ofstream(file()) << "x";
    std::filesystem::create_directory(policies());
    std::ofstream(policies() + "/bench.policy")
        << "file { path: \"" << directory_ << "/data/**\" allow: READ }\n";
  }
  Scene(const Scene&) = delete;
  Scene& operator=(const Scene&) = delete;
  ~Scene() { std::filesystem::remove_all(directory_); }

  std::string file() const { return directory_ + "/data/file"; }
  std::string policies() const { return directory_ + "/policies"; }
  const std::string& directory() const { return directory_; }

 private:
  std::string directory_;
};

void measure_calls(benchmark::State& state, Worker& worker, Call call) {
  for ([[maybe_unused]] auto _ : state) {
    const std::int64_t elapsed = worker.measure(call, kCallsARound);
    if (elapsed < 0) return state.SkipWithError("a call failed");
    state.SetIterationTime(static_cast<double>(elapsed) / kCallsARound / 1e9);
  }
}

// One process after another enters; each reports its own time.
void measure_enter(benchmark::State& state, const Service& service, Placement placement) {
  for ([[maybe_unused]] auto _ : state) {
    int ends[2];
    if (pipe(ends) != 0) return state.SkipWithError("no pipe");
    const pid_t child = spawn([&] {
      if (placement == Placement::kPinned) pin_to_one_cpu();
      const std::int64_t start = now_ns();
      service.enter();
      const std::int64_t elapsed = now_ns() - start;
      static_cast<void>(write(ends[1], &elapsed, sizeof elapsed) == 0);
    });
    close(ends[1]);
    std::int64_t elapsed = 0;
    const bool entered = read(ends[0], &elapsed, sizeof elapsed) == sizeof elapsed;
    close(ends[0]);
    stop(child);
    if (!entered) return state.SkipWithError("torno_enter failed");
    state.SetIterationTime(static_cast<double>(elapsed) / 1e9);
  }
}

// Google Benchmark's defaults for this program come first, so that the command line wins.
std::vector<std::string> arguments(int argc, char** argv, std::string& table) {
  std::vector<std::string> out = {argv[0], "--benchmark_enable_random_interleaving=true",
                                  "--benchmark_repetitions=" + std::to_string(kRounds),
                                  "--benchmark_min_time=0.02",
                                  "--benchmark_display_aggregates_only=true"};
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--table") == 0 && i + 1 < argc) {
      table = argv[++i];
    } else {
      out.emplace_back(argv[i]);
    }
  }
  return out;
}

// Parses the flags; false: one of them is unknown, and Google Benchmark has said so. It keeps the
// program's name, which stays where it is in `words`.
bool initialize(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  int count = static_cast<int>(words.size());
  benchmark::Initialize(&count, pointers.data());
  return !benchmark::ReportUnrecognizedArguments(count, pointers.data());
}

}  // namespace

int main(int argc, char** argv) {
  std::string table;
  std::vector<std::string> words = arguments(argc, argv, table);
  if (!initialize(words)) return 2;

  const Scene scene;
  std::vector<std::unique_ptr<Service>> services;
  std::vector<std::unique_ptr<Worker>> workers;
  for (const Placement placement : kPlacements) {
    services.push_back(std::make_unique<Service>(scene.directory(), placement));
    const Service& service = *services.back();
    for (const Variant variant : kVariants) {
      workers.push_back(make_worker(variant, placement, service, scene.file()));
      Worker& worker = *workers.back();
      for (const Call call : kCalls) {
        benchmark::RegisterBenchmark(
            benchmark_name(call, variant, placement).c_str(),
            [&worker, call](benchmark::State& state) { measure_calls(state, worker, call); })
            ->Iterations(1)
            ->UseManualTime();
      }
    }
    benchmark::RegisterBenchmark(enter_name(placement).c_str(),
                                 [&service, placement](benchmark::State& state) {
                                   measure_enter(state, service, placement);
                                 })
        ->Iterations(kEntersARound)
        ->UseManualTime();
  }

  Report report;
  benchmark::RunSpecifiedBenchmarks(&report);
  if (report.failed()) {
    std::fprintf(stderr, "torno_bench: a measurement failed; %s/log was tornod's\n",
                 scene.directory().c_str());
    return 1;
  }
  if (!table.empty()) std::ofstream(table) << report.markdown();
  return 0;
}
