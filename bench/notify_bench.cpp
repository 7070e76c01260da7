// notify_bench: what a call costs under `torno run`, against a hand-written supervisor of seccomp's
// user notifications and against the native call, all in one run.
//
//     notify_bench [--table FILE]
//
// Every round starts the program, itself as a worker, that opens and closes a file many times and
// measures that; the rounds of all variants take turns, and the medians are compared.
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "bench/calls.h"
#include "bench/notify_floor.h"
#include "broker/base/fd.h"

namespace {

using namespace torno::bench;

constexpr std::uint32_t kCallsARound = 10'000;
constexpr int kRounds = 15;
constexpr const char* kFile = "/usr/lib/os-release";

enum class Way { kNative, kFloor, kTorno, kTrap, kTornoBefore, kTrapBefore };
constexpr std::pair<Way, const char*> kWays[] = {
    {Way::kNative, "native"},
    {Way::kFloor, "notify loop"},
    {Way::kTorno, "torno run"},
    {Way::kTrap, "torno run --mode trap"},
    {Way::kTornoBefore, "torno run, as before Linux 6.6"},
    {Way::kTrapBefore, "torno run --mode trap, as before Linux 6.6"}};

bool is_trap(Way way) {
  return way == Way::kTrap || way == Way::kTrapBefore;
}
bool is_before(Way way) {
  return way == Way::kTornoBefore || way == Way::kTrapBefore;
}

std::string beside_this_program(const std::string& name) {
  char path[4096] = {};
  const ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);
  const std::string self(path, size > 0 ? static_cast<std::size_t>(size) : 0);
  return name.empty() ? self : self.substr(0, self.rfind('/') + 1) + name;
}

// From here on the kernel knows no flags of a listener, as before Linux 6.6.
bool take_away_sync_wake_up() {
  constexpr std::uint32_t kSetFlags = _IOW('!', 4, std::uint64_t);
  sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[1])),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kSetFlags, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{std::size(filter), filter};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

int work() {
  std::int64_t elapsed = 0;
  if (!run(Call::kOpenClose, kFile, kCallsARound, elapsed)) return 1;
  std::printf("%lld\n", static_cast<long long>(elapsed));
  return 0;
}

// In a process of its own, on whose standard output the worker says its time.
[[noreturn]] void start(Way way, bool pinned) {
  if (pinned) pin_to_one_cpu();
  const std::string self = beside_this_program("");
  std::vector<std::string> command = {self, "--worker"};
  if (way == Way::kFloor) _exit(run_under_floor(command) ? 0 : 1);
  if (way != Way::kNative) {
    const char* const mode = is_trap(way) ? "trap" : "notify";
    command = {beside_this_program("torno"), "run", "--mode", mode, "--", self, "--worker"};
  }
  if (is_before(way) && !take_away_sync_wake_up()) _exit(1);
  std::vector<char*> words;
  for (std::string& word : command) words.push_back(word.data());
  words.push_back(nullptr);
  execv(words[0], words.data());
  _exit(1);
}

// Microseconds a call; 0 when it failed.
double measure(Way way, bool pinned) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return 0;
  const torno::Fd read_end(ends[0]);
  torno::Fd write_end(ends[1]);
  const pid_t child = fork();
  if (child == 0) {
    dup2(write_end.get(), STDOUT_FILENO);
    start(way, pinned);
  }
  write_end.reset();
  char text[64] = {};
  const ssize_t size = read(read_end.get(), text, sizeof text - 1);
  int status = -1;
  waitpid(child, &status, 0);
  if (size <= 0 || status != 0) return 0;
  return static_cast<double>(std::strtoll(text, nullptr, 10)) / kCallsARound / 1e3;
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::string(argv[1]) == "--worker") return work();
  const bool tables = argc == 3 && std::string(argv[1]) == "--table";
  if (argc != 1 && !tables) {
    std::fprintf(stderr, "notify_bench: error: use notify_bench [--table FILE]\n");
    return 2;
  }
  std::map<std::pair<bool, Way>, std::vector<double>> times;
  for (int round = 0; round < kRounds; ++round) {
    for (const bool pinned : {true, false}) {
      for (const auto& [way, name] : kWays) {
        const double time = measure(way, pinned);
        if (time <= 0) {
          std::fprintf(stderr, "notify_bench: error: %s could not be measured\n", name);
          return 1;
        }
        times[{pinned, way}].push_back(time);
      }
    }
  }
  std::string rows =
      "\n| µs an open+close under `torno run` | native | notify loop | notify | notify ÷ loop | "
      "trap "
      "| notify, as before Linux 6.6 | trap, as before Linux 6.6 |\n"
      "| --- | --- | --- | --- | --- | --- | --- | --- |\n";
  for (const bool pinned : {true, false}) {
    const auto of = [&](Way way) { return median(times[{pinned, way}]); };
    char row[256];
    std::snprintf(row, sizeof row, "| %s | %.2f | %.2f | %.2f | %.2f× | %.2f | %.2f | %.2f |\n",
                  pinned ? "same CPU" : "unpinned", of(Way::kNative), of(Way::kFloor),
                  of(Way::kTorno), of(Way::kTorno) / of(Way::kFloor), of(Way::kTrap),
                  of(Way::kTornoBefore), of(Way::kTrapBefore));
    rows += row;
  }
  std::fputs(rows.c_str(), stdout);
  if (tables) std::ofstream(argv[2], std::ios::app) << rows;
  return 0;
}
