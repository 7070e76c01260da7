// RenameTurns: renames on one file system take turns. What may be moved depends on whether it is a
// directory, and the kernel takes no descriptor for what is to be moved: between the look and the
// act no other rename may put a directory there.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <map>
#include <mutex>
#include <utility>

namespace torno::files {

class RenameTurns {
 public:
  // Held until it goes. A file system whose server does not answer holds up its own renames alone.
  std::unique_lock<std::mutex> take(const struct statx& directory) {
    const std::pair device(directory.stx_dev_major, directory.stx_dev_minor);
    std::unique_lock all(mutex_);
    std::mutex& its = turns_[device];  // stays where it is
    all.unlock();
    return std::unique_lock(its);
  }

 private:
  std::mutex mutex_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::mutex> turns_;
};

}  // namespace torno::files
