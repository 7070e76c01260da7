#include "broker/launch/program.h"

#include <fcntl.h>
#include <linux/xattr.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <utility>

#include "broker/base/error.h"
#include "broker/launch/elf.h"
#include "broker/launch/script.h"

namespace torno::launch {
namespace {

// As the kernel's: of more scripts that are each the interpreter of the one before it says ELOOP.
constexpr std::size_t kMaxScripts = 5;

constexpr std::string_view kDefaultPath = "/bin:/usr/bin";  // execvp's

using Step = std::expected<void, NotStarted>;

std::unexpected<NotStarted> refuse(std::string message,
                                   int exit_code = NotStarted::kNotExecutable) {
  return std::unexpected(NotStarted{exit_code, std::move(message)});
}

std::string quoted(std::string_view path) {
  return "'" + escape(path) + "'";
}

std::string descriptor_path(const Fd& file) {
  return "/proc/self/fd/" + std::to_string(file.get());
}

// 0, or the errno value that execve would give for the file itself, whatever it holds. Read, write
// and execute are asked of the effective ids, as execve does; it says EACCES for a noexec mount
// too.
int check_executable(const Fd& file) {
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) return errno;
  if (!S_ISREG(status.st_mode)) return EACCES;
  return ::syscall(SYS_faccessat2, file.get(), "", X_OK, AT_EMPTY_PATH | AT_EACCESS) == 0 ? 0
                                                                                          : errno;
}

Fd pin(const std::string& path, int cwd) {
  return Fd(::openat(cwd, path.c_str(), O_PATH | O_CLOEXEC));
}

Step check_status(const ProgramFile& file, const std::string& label) {
  struct stat status{};
  if (::fstat(file.file.get(), &status) != 0) {
    return refuse(system_error("cannot look at " + label, errno).message);
  }
  if (S_ISDIR(status.st_mode)) return refuse(label + " is a directory; name a program");
  if (!S_ISREG(status.st_mode)) return refuse(label + " is no regular file; name a program");
  if (status.st_nlink == 0) {
    return refuse(label + " is a deleted file, and has no name that a policy could allow");
  }
  if (const int error = check_executable(file.file); error == EACCES) {
    return refuse(label +
                  " may not be executed: it has no x permission for you, or lies on a file " +
                  "system that is mounted noexec; chmod +x helps against the first");
  } else if (error != 0) {
    return refuse(system_error("cannot look at " + label, error).message);
  }
  // A sandbox sets no_new_privs, so that the kernel would leave these rights out.
  constexpr const char* kWhy =
      "; in a sandbox it would run without those rights, and Torno starts no program that expects "
      "more than its caller has";
  if ((status.st_mode & S_ISUID) != 0) return refuse(label + " is set-user-ID" + kWhy);
  if ((status.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP)) {
    return refuse(label + " is set-group-ID" + kWhy);
  }
  return {};
}

// Of a file that is open for reading.
Step check_capabilities(const Fd& content, const std::string& label) {
  if (::fgetxattr(content.get(), XATTR_NAME_CAPS, nullptr, 0) >= 0) {
    return refuse(
        label +
        " has file capabilities; in a sandbox it would run without them, and Torno starts "
        "no program that expects more than its caller has");
  }
  if (errno == ENODATA || errno == EOPNOTSUPP) return {};
  return refuse(system_error("cannot tell the file capabilities of " + label, errno).message);
}

std::optional<std::string> real_path(const Fd& file) {
  std::string path(PATH_MAX, '\0');
  const ssize_t size = ::readlink(descriptor_path(file).c_str(), path.data(), path.size());
  // What the kernel cannot name from this process's root begins with "(unreachable)".
  if (size <= 0 || static_cast<std::size_t>(size) == path.size() || path.front() != '/') {
    return std::nullopt;
  }
  path.resize(static_cast<std::size_t>(size));
  return path;
}

// Everything that is asked of a file whatever it holds; returns it open for reading.
std::expected<Fd, NotStarted> vet(ProgramFile& file, const std::string& label) {
  if (auto checked = check_status(file, label); !checked) return std::unexpected(checked.error());
  auto real = real_path(file.file);
  if (!real) {
    return refuse("cannot tell where " + label +
                  " lies; mount /proc, and name what lies beneath /");
  }
  file.real_path = std::move(*real);
  // Through the descriptor: the name may lead elsewhere by now.
  Fd content(::open(descriptor_path(file.file).c_str(), O_RDONLY | O_NOCTTY | O_CLOEXEC));
  if (!content && errno == EACCES) {
    return refuse(label +
                  " may be executed but not read, and Torno starts no program that it cannot "
                  "look at; chmod +r it");
  }
  if (!content) return refuse(system_error("cannot open " + label, errno).message);
  if (auto checked = check_capabilities(content, label); !checked) {
    return std::unexpected(checked.error());
  }
  return content;
}

std::expected<std::string, NotStarted> read_head(const Fd& content, const std::string& label) {
  std::string head(kScriptHead, '\0');
  std::size_t done = 0;
  while (done < head.size()) {
    const ssize_t count =
        ::pread(content.get(), head.data() + done, head.size() - done, static_cast<off_t>(done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return refuse(system_error("cannot read " + label, errno).message);
    if (count == 0) break;
    done += static_cast<std::size_t>(count);
  }
  head.resize(done);
  return head;
}

// Follows the files from the first on, which is pinned already.
class Follower {
 public:
  explicit Follower(int cwd) : cwd_(cwd) {}

  std::expected<Program, NotStarted> follow(std::string path, Fd file) {
    program_.path = path;
    std::string label = quoted(path);
    program_.chain.push_back({std::move(path), {}, std::move(file)});
    for (std::size_t scripts = 0;; ++scripts) {
      auto content = vet(program_.chain.back(), label);
      if (!content) return std::unexpected(content.error());
      auto head = read_head(*content, label);
      if (!head) return std::unexpected(head.error());
      if (!is_script(*head)) {
        if (auto taken = take_elf(*content, *head, label); !taken) {
          return std::unexpected(taken.error());
        }
        return std::move(program_);
      }
      if (scripts == kMaxScripts) {
        return refuse("exec format error: " + label +
                      " is one script too many that another one names as its interpreter");
      }
      auto interpreter = script_interpreter(*head);
      if (!interpreter) {
        return refuse("exec format error: the #! line of " + label + " names no interpreter, or " +
                      "is too long");
      }
      auto next = push(std::move(*interpreter), label);
      if (!next) return std::unexpected(next.error());
      label = std::move(*next);
    }
  }

 private:
  // Adds what the last file of the chain names; returns how messages call it.
  std::expected<std::string, NotStarted> push(std::string path, const std::string& named_by) {
    Fd file = pin(path, cwd_);
    std::string label = "the interpreter " + quoted(path) + " of " + named_by;
    if (!file) return refuse(system_error("cannot open " + label, errno).message);
    program_.chain.push_back({std::move(path), {}, std::move(file)});
    return label;
  }

  Step take_elf(const Fd& content, std::string_view head, const std::string& label) {
    if (!head.starts_with("\177ELF")) {
      return refuse("exec format error: " + label +
                    " is neither an ELF program nor a script that begins with #!");
    }
    const auto elf = read_elf(content.get());
    if (!elf) return refuse("exec format error: " + label + " " + elf.error().message);
    program_.is_static = elf->is_static();
    if (program_.is_static) return {};

    const auto loader_label = push(elf->interpreter, label);
    if (!loader_label) return std::unexpected(loader_label.error());
    const auto loader = vet(program_.chain.back(), *loader_label);
    if (!loader) return std::unexpected(loader.error());
    // An interpreter that it names itself is nothing to the kernel.
    if (const auto loader_elf = read_elf(loader->get()); !loader_elf) {
      return refuse("exec format error: " + *loader_label + " " + loader_elf.error().message);
    }
    return {};
  }

  int cwd_;
  Program program_;
};

// Would execvp go on to the next folder?
bool goes_on(int error) {
  return error == ENOENT || error == ENOTDIR || error == EACCES || error == ESTALE ||
         error == ENODEV || error == ETIMEDOUT;
}

std::expected<Program, NotStarted> find_in(std::string_view folders, const std::string& name,
                                           int cwd) {
  if (name.size() > NAME_MAX) {
    return refuse(quoted(name) + " was not found: no name is so long", NotStarted::kNotFound);
  }
  std::string refused;  // the first file found that may not be executed
  for (std::size_t at = 0; at <= folders.size();) {
    const std::size_t end = std::min(folders.find(':', at), folders.size());
    std::string path(folders.substr(at, end - at));
    at = end + 1;
    if (path.size() >= PATH_MAX) continue;
    path += (path.empty() ? "" : "/") + name;
    Fd file = pin(path, cwd);
    const int error = file ? check_executable(file) : errno;
    if (error == 0) return Follower(cwd).follow(std::move(path), std::move(file));
    if (!goes_on(error)) return refuse(system_error("cannot open " + quoted(path), error).message);
    if (error == EACCES && refused.empty()) refused = path;
  }
  if (!refused.empty()) {
    return refuse(quoted(name) + " was found in PATH as " + quoted(refused) +
                  " alone, which may not be executed; chmod +x it, or write another path");
  }
  return refuse(quoted(name) + " was not found in PATH; write the program's path, or mend PATH",
                NotStarted::kNotFound);
}

}  // namespace

std::expected<Program, NotStarted> find_program(
    const std::string& name, const std::optional<std::string_view>& path_variable, int cwd) {
  if (name.empty() || name.find('\0') != std::string::npos) {
    return refuse(quoted(name) + " is no program's name", NotStarted::kNotFound);
  }
  if (name.find('/') == std::string::npos) {
    return find_in(path_variable.value_or(kDefaultPath), name, cwd);
  }
  Fd file = pin(name, cwd);
  if (!file) {
    const int error = errno;
    return refuse(system_error("cannot open " + quoted(name), error).message,
                  error == ENOENT ? NotStarted::kNotFound : NotStarted::kNotExecutable);
  }
  return Follower(cwd).follow(name, std::move(file));
}

}  // namespace torno::launch
