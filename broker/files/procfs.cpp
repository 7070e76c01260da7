#include "broker/files/procfs.h"

#include <array>
#include <charconv>

namespace torno::files::procfs {

namespace {

// Of the path beneath `directory`, "" for the directory itself.
std::string_view beneath(std::string_view path, std::string_view directory) {
  const std::string_view rest = path.substr(directory.size());
  return rest.empty() ? rest : rest.substr(1);
}

}  // namespace

std::optional<std::string_view> entry(std::string_view name, pid_t client) {
  constexpr std::string_view kOwnName = "self";
  if (name == kOwnName || name == "thread-self") return kOwnName;
  if (!is_number(name)) return name;
  pid_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  const bool is_client = error == std::errc() && number == client && name[0] != '0';
  return is_client ? std::optional(kOwnName) : std::nullopt;
}

Link link(std::string_view path) {
  const auto part = own_part(path);
  if (!part) return Link::kNone;
  if (*part == "cwd" || *part == "exe") return Link::kText;
  if (*part == "root") return Link::kRootDirectory;
  const auto [directory, rest] = split_first(*part);
  const bool holds_links = directory == "fd" || directory == "map_files" || directory == "ns";
  return holds_links && !rest.empty() ? Link::kNever : Link::kNone;
}

bool KernelPlace::find(const CanonicalPath& path, const Place& place, const Mounts& mounts) {
  std::array<char, 16> digits;
  translated_ = path;
  if (is_at_or_beneath(path.view(), kSelf)) {
    if (place.client <= 0) return false;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), place.client).ptr;
    translated_.clear();
    using Append = CanonicalPath::Append;
    if (translated_.append(kRoot) != Append::kDone || !translated_.push({digits.data(), end}) ||
        translated_.append(beneath(path.view(), kSelf)) != Append::kDone) {
      return false;
    }
  }
  start_ = mounts.start_of(translated_.view());
  if (place.proc < 0 || !covers(path.view())) return true;
  const char* rest = translated_.view().data() + kRoot.size();
  rest += *rest == '/' ? 1 : 0;
  start_ = {place.proc, *rest == '\0' ? "." : rest};
  return true;
}

}  // namespace torno::files::procfs
