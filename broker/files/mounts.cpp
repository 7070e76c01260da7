#include "broker/files/mounts.h"

#include <algorithm>
#include <utility>

#include "broker/files/canonical_path.h"

namespace torno::files {
namespace {

// The path from its character `at` on: without the '/' it begins with, "." for nothing.
const char* rest(std::string_view path, std::size_t at) {
  return at + 1 >= path.size() ? "." : path.data() + at + 1;
}

}  // namespace

void Mounts::add(std::string path, Fd directory) {
  mounts_.push_back({std::move(path), std::move(directory)});
}

Mounts::Start Mounts::start_of(std::string_view path) const {
  for (const Mount& mount : mounts_) {
    if (!is_at_or_beneath(path, mount.path)) continue;
    return {mount.directory.get(), rest(path, mount.path.size())};
  }
  return {root_.get(), rest(path, 0)};
}

bool Mounts::is_mount(std::string_view path) const {
  return std::ranges::find(mounts_, path, &Mount::path) != mounts_.end();
}

}  // namespace torno::files
