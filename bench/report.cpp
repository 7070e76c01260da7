#include "bench/report.h"

#include <sys/utsname.h>

#include <cstdio>
#include <fstream>
#include <thread>

#include "bench/calls.h"
#include "bench/names.h"

namespace torno::bench {
namespace {

std::string figure(double value, const char* format) {
  if (value <= 0) return "";
  char text[32];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string microseconds(double nanoseconds) {
  return figure(nanoseconds / 1e3, "%.2f");
}

std::string ratio(double value, double floor) {
  return floor <= 0 ? "" : figure(value / floor, "%.2f×");
}

std::string row(const std::vector<std::string>& cells) {
  std::string out = "|";
  for (const std::string& cell : cells) out += " " + cell + " |";
  return out + "\n";
}

std::string processor() {
  std::ifstream cpuinfo("/proc/cpuinfo");
  for (std::string line; std::getline(cpuinfo, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown processor";
}

std::string machine() {
  utsname system{};
  uname(&system);
  return "Measured on " + processor() + ", " + std::to_string(std::thread::hardware_concurrency()) +
         " CPUs, Linux " + system.release + ".\n";
}

}  // namespace

void Report::ReportRuns(const std::vector<Run>& runs) {
  ConsoleReporter::ReportRuns(runs);
  for (const Run& run : runs) {
    failed_ |= run.error_occurred;
    if (run.run_type != Run::RT_Aggregate || run.aggregate_name != "median") continue;
    const double units_a_second = benchmark::GetTimeUnitMultiplier(run.time_unit);
    medians_[run.run_name.function_name] = run.GetAdjustedRealTime() / units_a_second * 1e9;
  }
}

double Report::median(const std::string& benchmark) const {
  const auto found = medians_.find(benchmark);
  return found == medians_.end() ? 0 : found->second;
}

std::string Report::calls_table() const {
  std::vector<std::string> head = {"µs a call", ""};
  for (const Variant variant : kVariants) head.emplace_back(name(variant));
  head.insert(head.end(), {"Torno ÷ persistent", "Torno ÷ fresh", "Torno ÷ native"});
  std::string out = row(head) + row(std::vector<std::string>(head.size(), "---"));
  for (const Call call : kCalls) {
    for (const Placement placement : kPlacements) {
      const auto of = [&](Variant variant) {
        return median(benchmark_name(call, variant, placement));
      };
      std::vector<std::string> cells = {name(call), name(placement)};
      for (const Variant variant : kVariants) cells.push_back(microseconds(of(variant)));
      const double torno = of(Variant::kTorno);
      cells.push_back(ratio(torno, of(Variant::kPersistent)));
      cells.push_back(ratio(torno, of(Variant::kFresh)));
      cells.push_back(ratio(torno, of(Variant::kNative)));
      out += row(cells);
    }
  }
  return out;
}

std::string Report::enter_table() const {
  std::string out = row({"torno_enter", "ms"}) + row({"---", "---"});
  for (const Placement placement : kPlacements) {
    out += row({name(placement), figure(median(enter_name(placement)) / 1e6, "%.2f")});
  }
  return out;
}

std::string Report::markdown() const {
  return machine() + "\n" + calls_table() + "\n" + enter_table();
}

}  // namespace torno::bench
