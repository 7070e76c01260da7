// Report: the medians of one run as Markdown tables, every figure beside its floors.
#pragma once

#include <benchmark/benchmark.h>

#include <map>
#include <string>
#include <vector>

namespace torno::bench {

class Report : public benchmark::ConsoleReporter {
 public:
  void ReportRuns(const std::vector<Run>& runs) override;

  // True when anything could not be measured.
  bool failed() const { return failed_; }

  // The tables; empty cells for what a --benchmark_filter left out.
  std::string markdown() const;

 private:
  std::string calls_table() const;
  std::string enter_table() const;
  double median(const std::string& benchmark) const;  // nanoseconds; 0: not measured

  std::map<std::string, double> medians_;
  bool failed_ = false;
};

}  // namespace torno::bench
