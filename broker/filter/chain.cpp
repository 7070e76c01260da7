#include "broker/filter/chain.h"

#include <linux/bpf_common.h>

#include "broker/filter/step.h"

namespace torno::filter {
namespace {

// Return values that stand for jumps until a step is spliced in. No rule uses SCMP_ACT_TRACE.
constexpr std::uint32_t kElse = SCMP_ACT_TRACE(1);
constexpr std::uint32_t kMatched = SCMP_ACT_TRACE(2);

// Jumps are relative, so steps keep working wherever they stand.
void replace_returns(Instructions& program, std::uint32_t value, std::size_t target) {
  for (std::size_t i = 0; i < program.size(); ++i) {
    if (program[i].code == (BPF_RET | BPF_K) && program[i].k == value) {
      program[i] = {BPF_JMP | BPF_JA, 0, 0, static_cast<std::uint32_t>(target - i - 1)};
    }
  }
}

void append(Instructions& program, const Instructions& step) {
  program.insert(program.end(), step.begin(), step.end());
}

}  // namespace

Result<void> Chain::add(std::span<const Rule> rules) {
  if (rules.empty()) return {};
  Result<Instructions> step = make_step(rules, kElse);
  if (!step) return std::unexpected(step.error());
  replace_returns(*step, kElse, step->size());
  append(program_, *step);
  return {};
}

Result<void> Chain::add_exact(const Rule& rule) {
  if (rule.when.empty()) return add({&rule, 1});
  Instructions whole;
  for (std::size_t i = 0; i < rule.when.size(); ++i) {
    const bool last = i + 1 == rule.when.size();
    const Rule part{rule.call, last ? rule.action : kMatched, {rule.when[i]}};
    Result<Instructions> step = make_step({&part, 1}, kElse);
    if (!step) return std::unexpected(step.error());
    replace_returns(*step, kMatched, step->size());
    append(whole, *step);
  }
  replace_returns(whole, kElse, whole.size());
  append(program_, whole);
  return {};
}

Result<Instructions> Chain::finish(std::span<const Rule> rules, std::uint32_t otherwise) {
  Result<Instructions> step = make_step(rules, otherwise);
  if (!step) return std::unexpected(step.error());
  append(program_, *step);
  return std::move(program_);
}

}  // namespace torno::filter
