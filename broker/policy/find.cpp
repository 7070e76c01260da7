#include "broker/policy/find.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "broker/base/error.h"
#include "broker/base/fd.h"
#include "broker/policy/loader.h"
#include "broker/policy/suggest.h"

namespace torno::policy {
namespace {

constexpr std::size_t kMaxName = 200;  // with ".policy" it stays a file name

// A peer of a shared broker chooses the name: it must not lead out of the directories.
bool is_name(const std::string& name) {
  return !name.empty() && name.size() <= kMaxName && name.front() != '.' &&
         std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_' || c == '-' || c == '.';
         });
}

FindError cannot_read(const std::string& path, int error) {
  const bool absent = error == ENOENT || error == ENOTDIR;
  return {system_error("cannot read '" + escape(path) + "'", error).message +
              (absent ? "; check the path, or name a policy by its name alone"
                      : "; a policy must be readable by the user who loads it"),
          true, absent};
}

std::expected<std::string, FindError> read_all(const std::string& path, int fd) {
  std::string text;
  std::array<char, 65536> buffer{};
  for (;;) {
    const ssize_t size = ::read(fd, buffer.data(), buffer.size());
    if (size == 0) return text;
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return std::unexpected(cannot_read(path, errno));
    text.append(buffer.data(), static_cast<std::size_t>(size));
    if (text.size() > kMaxPolicySize) {
      return std::unexpected(FindError{
          "'" + escape(path) + "' is larger than 16 MiB; split it, or check that it is a policy"});
    }
  }
}

// A file of that path; `instead` says what to do about one that is no regular file.
std::expected<PolicyText, FindError> read_file(const std::string& path, const char* instead) {
  // O_NONBLOCK: a FIFO of that name must not hold whoever asks.
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat status{};
  if (!fd || ::fstat(fd.get(), &status) != 0) return std::unexpected(cannot_read(path, errno));
  if (!S_ISREG(status.st_mode)) {
    return std::unexpected(
        FindError{"'" + escape(path) + "' is no regular file; " + instead, true});
  }
  auto text = read_all(path, fd.get());
  if (!text) return std::unexpected(std::move(text.error()));
  struct statx file{};
  if (::statx(fd.get(), "", AT_EMPTY_PATH, FileIdentity::kMask, &file) != 0) {
    return std::unexpected(cannot_read(path, errno));
  }
  Stamps stamps = {Stamp::of_file(path, status, *text)};
  return PolicyText{path, std::move(*text), FileIdentity::of(file), std::move(stamps)};
}

std::string not_found(const std::string& name, const std::vector<std::string>& directories) {
  std::vector<std::string> names;
  for (const BuiltIn& policy : built_in_policies()) names.emplace_back(policy.name);
  std::string searched;
  for (const std::string& directory : directories) searched += escape(directory) + ", ";
  return "no policy '" + escape(name) + "' " +
         (directories.empty() ? "is built in" : "in " + searched + "nor built in") +
         advise(name, names);
}

}  // namespace

std::expected<PolicyText, FindError> find_policy(const std::string& name,
                                                 const std::vector<std::string>& directories) {
  if (!is_name(name)) {
    return std::unexpected(FindError{"'" + escape(name) +
                                         "' is no policy's name; write letters, digits, '_', '-' "
                                         "and '.', and leave out the directory",
                                     true});
  }
  Stamps passed;
  for (const std::string& directory : directories) {
    std::string path = directory;
    path.append("/").append(name).append(".policy");
    auto found = read_file(path, "remove it");
    if (found) {
      found->stamps.insert(found->stamps.begin(), passed.begin(), passed.end());
      return found;
    }
    if (!found.error().absent) return found;
    passed.push_back(Stamp::of_nothing(path));
  }
  for (const BuiltIn& policy : built_in_policies()) {
    if (policy.name == name) {
      return PolicyText{"<built-in>/" + name + ".policy", std::string(policy.text), {}, passed};
    }
  }
  return std::unexpected(FindError{not_found(name, directories), true});
}

std::expected<PolicyText, FindError> read_policy(const std::string& path) {
  return read_file(path, "name a file that holds a policy");
}

std::vector<std::string> default_directories() {
  const char* const set = ::secure_getenv("TORNO_POLICY_PATH");
  if (set == nullptr) {
    return {"/etc/torno/policies", "/run/torno/policies", TORNO_POLICY_DIRECTORY};
  }
  std::vector<std::string> directories;
  const std::string_view path = set;
  for (std::size_t at = 0; at <= path.size();) {
    const std::size_t end = std::min(path.find(':', at), path.size());
    if (end > at) directories.emplace_back(path.substr(at, end - at));
    at = end + 1;
  }
  return directories;
}

}  // namespace torno::policy
