// The report of `torno run --report`.
#pragma once

#include <sys/types.h>

#include <string>

#include "broker/audit/audit.h"
#include "broker/base/error.h"

namespace torno::cli {

// Writes the event as JSON to the file, whole or not at all: what stood there before is replaced
// at once. What is no plain file (a pipe, a device, a link) is opened and written to. `mask` as in
// umask(2).
Result<void> write_report(const std::string& path, audit::Event event, mode_t mask);

}  // namespace torno::cli
