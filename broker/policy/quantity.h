// Quantity: the sizes and durations of a policy's `limit`, and the names of errno values.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace torno::policy {

// "512M": bytes, with K, M, G or T powers of 1024. The error is a sentence.
std::expected<std::uint64_t, std::string> parse_size(std::string_view text);

// "10s": seconds; s, m or h must stand behind the number.
std::expected<std::uint64_t, std::string> parse_seconds(std::string_view text);

// The same, up to ten years: it is counted in milliseconds.
std::expected<std::uint64_t, std::string> parse_wall_time(std::string_view text);

// The number behind a name such as "EPERM".
std::optional<int> errno_value(std::string_view name);

// "0.5", "2": hundredths of a processor, up to 10000 processors.
std::expected<std::uint64_t, std::string> parse_cpus(std::string_view text);

}  // namespace torno::policy
