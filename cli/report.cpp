#include "cli/report.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "broker/base/fd.h"

namespace torno::cli {

namespace {

Error failed(const std::string& path, int error) {
  return Error{system_error("cannot write the report to " + escape(path), error).message +
               "; name a file in a folder that you may write"};
}

bool write_all(const Fd& file, const std::string& text) {
  return ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

}  // namespace

Result<void> write_report(const std::string& path, audit::Event event, mode_t mask) {
  audit::stamp(event);
  const std::string text = audit::to_line(std::move(event), audit::Format::kJson) + "\n";
  struct stat status{};
  if (::lstat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
    const Fd there(::open(path.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOCTTY));
    if (there && write_all(there, text)) return {};
    return std::unexpected(failed(path, errno));
  }
  std::string unfinished = path + ".XXXXXX";
  const Fd file(::mkostemp(unfinished.data(), O_CLOEXEC));
  if (!file) return std::unexpected(failed(path, errno));
  constexpr mode_t kMode = 0666;
  const bool written = ::fchmod(file.get(), kMode & ~mask) == 0 && write_all(file, text);
  const int error = errno;
  if (written && ::rename(unfinished.c_str(), path.c_str()) == 0) return {};
  const int reason = written ? errno : error;
  ::unlink(unfinished.c_str());
  return std::unexpected(failed(path, reason));
}

}  // namespace torno::cli
