// Audit: what happened, a line an event, to a file descriptor: text or JSON (proto/audit.proto).
//
// Thread safety: an Auditor may be used by any number of threads; a line is one write(2).
#pragma once

#include <cstdint>
#include <mutex>
#include <string>

#include "proto/audit.pb.h"

namespace torno::audit {

enum class Format { kText, kJson };

class Auditor {
 public:
  Auditor(int fd, Format format);

  // Stamps the event's time, escapes and writes it. Never blocks on a full pipe: the line is
  // lost then, and counted; the next line that goes through is preceded by a Suppressed event
  // of session 0 that says how many were lost.
  void write(Event event);

 private:
  bool write_line(const Event& event);

  const int fd_;
  const Format format_;
  const bool is_socket_;
  std::mutex mutex_;
  std::uint64_t lost_ = 0;
};

// Sets the event's time to now.
void stamp(Event& event);

// The event as one line without its newline, its strings escaped and cut (format.cpp).
std::string to_line(Event event, Format format);

// Lets a burst of events through and then a steady rate, so that a worker cannot flood the log;
// says how many it held back. One per session, used by that session's thread alone.
class RateLimit {
 public:
  // Is this event let through at `now_ns` (CLOCK_MONOTONIC)?
  bool admit(std::int64_t now_ns);
  // Events held back since the last call.
  std::uint64_t take_suppressed();

 private:
  static constexpr std::uint32_t kBurst = 100;    // a start-up's worth of refused probes
  static constexpr std::int64_t kPerSecond = 20;  // what a reader of a log can still follow
  std::int64_t refilled_ns_ = 0;
  std::uint32_t tokens_ = kBurst;
  std::uint64_t suppressed_ = 0;
};

}  // namespace torno::audit
