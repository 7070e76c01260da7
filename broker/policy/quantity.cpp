#include "broker/policy/quantity.h"

#include <cerrno>
#include <charconv>
#include <cstring>
#include <limits>

#include "broker/base/error.h"

namespace torno::policy {
namespace {

struct Parts {
  std::uint64_t number = 0;
  std::string_view unit;
};

// A number of decimal digits and what follows it; nothing when it does not fit.
std::optional<Parts> split(std::string_view text) {
  Parts parts;
  const char* const first = text.data();
  const char* const last = first + text.size();
  const auto [end, error] = std::from_chars(first, last, parts.number);
  if (error != std::errc()) return std::nullopt;
  parts.unit = std::string_view(end, static_cast<std::size_t>(last - end));
  return parts;
}

std::optional<std::uint64_t> multiply(std::uint64_t a, std::uint64_t b) {
  if (b != 0 && a > std::numeric_limits<std::uint64_t>::max() / b) return std::nullopt;
  return a * b;
}

// Names with a number that strerrorname_np calls otherwise.
struct Alias {
  std::string_view name;
  int value;
};
constexpr Alias kAliases[] = {
    {"EWOULDBLOCK", EWOULDBLOCK}, {"EDEADLOCK", EDEADLOCK}, {"ENOTSUP", ENOTSUP}};

constexpr int kMaxErrno = 4095;  // the kernel's: more does not fit into a call's result

}  // namespace

std::expected<std::uint64_t, std::string> parse_size(std::string_view text) {
  const auto parts = split(text);
  static constexpr std::string_view kUnits = "KMGT";
  if (parts && parts->unit.size() <= 1) {
    const std::size_t unit = parts->unit.empty() ? 0 : kUnits.find(parts->unit.front()) + 1;
    const bool known = parts->unit.empty() || unit != 0;
    const auto bytes = multiply(parts->number, std::uint64_t{1} << (10 * unit));
    if (known && bytes) return *bytes;
  }
  return std::unexpected("'" + escape(text) +
                         "' is no size; write a number with K, M, G or T behind it, as in 512M");
}

std::expected<std::uint64_t, std::string> parse_seconds(std::string_view text) {
  const auto parts = split(text);
  if (parts && parts->unit.size() == 1) {
    const char unit = parts->unit.front();
    const std::uint64_t factor = unit == 's' ? 1 : unit == 'm' ? 60 : unit == 'h' ? 3600 : 0;
    const auto seconds = multiply(parts->number, factor);
    if (factor != 0 && seconds) return *seconds;
  }
  return std::unexpected("'" + escape(text) +
                         "' is no duration; write a number with s, m or h behind it, as in 10s");
}

std::expected<std::uint64_t, std::string> parse_cpus(std::string_view text) {
  constexpr std::uint64_t kHundredths = 100;
  constexpr std::uint64_t kMost = 10'000;
  if (const auto parts = split(text); parts && parts->number <= kMost) {
    std::uint64_t value = parts->number * kHundredths;
    std::string_view rest = parts->unit;
    const bool has_fraction = (rest.size() == 2 || rest.size() == 3) && rest.front() == '.';
    if (has_fraction) rest.remove_prefix(1);
    for (std::uint64_t weight = kHundredths / 10;
         has_fraction && !rest.empty() && rest.front() >= '0' && rest.front() <= '9';
         weight /= 10) {
      value += weight * static_cast<std::uint64_t>(rest.front() - '0');
      rest.remove_prefix(1);
    }
    if (rest.empty()) return value;
  }
  return std::unexpected("'" + escape(text) +
                         "' is no share of processors; write a number up to 10000 with at most two "
                         "decimals, as in 0.5");
}

std::optional<int> errno_value(std::string_view name) {
  for (const Alias& alias : kAliases) {
    if (alias.name == name) return alias.value;
  }
  for (int value = 1; value <= kMaxErrno; ++value) {
    const char* const known = ::strerrorname_np(value);
    if (known != nullptr && name == known) return value;
  }
  return std::nullopt;
}

std::expected<std::uint64_t, std::string> parse_wall_time(std::string_view text) {
  constexpr std::uint64_t kTenYears = 10ULL * 366 * 24 * 3600;
  auto seconds = parse_seconds(text);
  if (seconds && *seconds > kTenYears) {
    return std::unexpected("a wall_time is at most ten years; write less, or remove it");
  }
  return seconds;
}

}  // namespace torno::policy
