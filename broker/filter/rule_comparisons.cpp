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
          " } can never match: no value satisfies it; correct it, or remove the rule"};
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

// What is known of an argument satisfies the comparison, whatever else it may be.
bool satisfied(const policy::Argument& wanted, const Range& range) {
  const std::uint64_t value = wanted.value();
  const bool known = range.low == range.high;
  switch (wanted.op()) {
    case policy::EQ:
      return known && range.low == value;
    case policy::NE:
      return value < range.low || value > range.high;
    case policy::LT:
      return range.high < value;
    case policy::LE:
      return range.high <= value;
    case policy::GT:
      return range.low > value;
    case policy::GE:
      return range.low >= value;
    case policy::MASKED_EQ:
      return known && (range.low & wanted.mask()) == value;
    default:
      return false;
  }
}

bool same(const policy::Argument& a, const policy::Argument& b) {
  return a.index() == b.index() && a.op() == b.op() && a.value() == b.value() &&
         a.mask() == b.mask();
}

}  // namespace

std::expected<std::vector<Comparison>, ArgumentError> rule_comparisons(
    const policy::SyscallRule& rule) {
  std::vector<Comparison> comparisons;
  std::array<Range, kArguments> ranges;
  for (int i = 0; i < rule.arg_size(); ++i) {
    const policy::Argument& argument = rule.arg(i);
    const auto compared = comparison(argument);
    if (!compared) return std::unexpected(ArgumentError{i, compared.error()});
    if (!ranges[argument.index()].narrow(argument)) {
      return std::unexpected(ArgumentError{i, never(argument)});
    }
    comparisons.push_back(*compared);
  }
  return comparisons;
}

bool covers(const policy::SyscallRule& wide, const policy::SyscallRule& narrow) {
  return std::ranges::all_of(wide.arg(), [&narrow](const policy::Argument& wanted) {
    Range range;
    for (const policy::Argument& given : narrow.arg()) {
      if (same(given, wanted)) return true;
      if (given.index() == wanted.index()) range.narrow(given);
    }
    return satisfied(wanted, range);
  });
}

}  // namespace torno::filter
