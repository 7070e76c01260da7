#include "broker/filter/rule_comparisons.h"

#include <algorithm>
#include <array>
#include <limits>
#include <string>

namespace torno::filter {
namespace {

constexpr unsigned kArguments = 6;
constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();

Error never(const policy::Argument& argument) {
  return {"arg { index: " + std::to_string(argument.index()) +
          " } can never match: no value satisfies it"};
}

Result<Comparison> masked(const policy::Argument& argument) {
  if (argument.mask() == 0) {
    return std::unexpected(Error{"a mask of 0 compares nothing; write one, or remove the arg"});
  }
  if ((argument.value() & ~argument.mask()) != 0) return std::unexpected(never(argument));
  return bits(argument.index(), argument.mask(), argument.value());
}

Result<Comparison> comparison(const policy::Argument& argument) {
  if (argument.index() >= kArguments) {
    return std::unexpected(Error{"arg { index: " + std::to_string(argument.index()) +
                                 " }: a system call has arguments 0 to 5"});
  }
  if (argument.op() == policy::MASKED_EQ) return masked(argument);
  const auto compare = [&](scmp_compare op) {
    return Comparison{argument.index(), op, argument.value(), 0};
  };
  switch (argument.op()) {
    case policy::EQ:
      return compare(SCMP_CMP_EQ);
    case policy::NE:
      return compare(SCMP_CMP_NE);
    case policy::LT:
      return compare(SCMP_CMP_LT);
    case policy::LE:
      return compare(SCMP_CMP_LE);
    case policy::GT:
      return compare(SCMP_CMP_GT);
    case policy::GE:
      return compare(SCMP_CMP_GE);
    default:
      return std::unexpected(Error{"arg { op } is missing: EQ, NE, LT, LE, GT, GE or MASKED_EQ"});
  }
}

// What the ordered comparisons of one argument leave: lowest and highest value.
struct Range {
  std::uint64_t low = 0;
  std::uint64_t high = kMax;

  // False when nothing is left.
  bool narrow(const policy::Argument& argument) {
    const std::uint64_t value = argument.value();
    switch (argument.op()) {
      case policy::EQ:
        low = std::max(low, value);
        high = std::min(high, value);
        break;
      case policy::LT:
        if (value == 0) return false;
        high = std::min(high, value - 1);
        break;
      case policy::LE:
        high = std::min(high, value);
        break;
      case policy::GT:
        if (value == kMax) return false;
        low = std::max(low, value + 1);
        break;
      case policy::GE:
        low = std::max(low, value);
        break;
      default:
        break;
    }
    return low <= high;
  }
};

}  // namespace

Result<std::vector<Comparison>> rule_comparisons(const policy::SyscallRule& rule) {
  std::vector<Comparison> comparisons;
  std::array<Range, kArguments> ranges;
  for (const policy::Argument& argument : rule.arg()) {
    const auto compared = comparison(argument);
    if (!compared) return std::unexpected(compared.error());
    if (!ranges[argument.index()].narrow(argument)) return std::unexpected(never(argument));
    comparisons.push_back(*compared);
  }
  return comparisons;
}

}  // namespace torno::filter
