#include "broker/notify/decode.h"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

#include "broker/base/error.h"
#include "broker/notify/call.h"
#include "broker/notify/refusal.h"

namespace torno::notify {
namespace {

// Bytes of a text that are shown.
constexpr std::size_t kShown = 200;

// A letter an argument: d directory descriptor, p path, o flags of open, m mode (where open's flags
// make a file), M mode always, i int, u unsigned, x address or bits. What is not here has six x.
struct Signature {
  std::string_view call;
  std::string_view arguments;
};

constexpr Signature kSignatures[] = {
    {"access", "pi"},      {"bind", "ixu"},        {"chdir", "p"},         {"chmod", "pM"},
    {"chown", "pii"},      {"chroot", "p"},        {"clone", "xxxxx"},     {"clone3", "xu"},
    {"close", "i"},        {"connect", "ixu"},     {"creat", "pM"},        {"dup", "i"},
    {"dup2", "ii"},        {"dup3", "iix"},        {"execve", "pxx"},      {"execveat", "dpxxx"},
    {"exit", "i"},         {"exit_group", "i"},    {"faccessat", "dpi"},   {"faccessat2", "dpix"},
    {"fchmod", "iM"},      {"fchmodat", "dpM"},    {"fchown", "iii"},      {"fchownat", "dpiix"},
    {"fcntl", "iix"},      {"fork", ""},           {"ftruncate", "iu"},    {"futex", "xiuxxu"},
    {"getdents64", "ixu"}, {"getegid", ""},        {"geteuid", ""},        {"getgid", ""},
    {"getpgid", "i"},      {"getpid", ""},         {"getppid", ""},        {"getrandom", "xux"},
    {"gettid", ""},        {"getuid", ""},         {"ioctl", "ixx"},       {"kill", "ii"},
    {"lchown", "pii"},     {"link", "pp"},         {"linkat", "dpdpx"},    {"listen", "ii"},
    {"lseek", "iii"},      {"lstat", "px"},        {"madvise", "xui"},     {"memfd_create", "px"},
    {"mkdir", "pM"},       {"mkdirat", "dpM"},     {"mknod", "pMu"},       {"mknodat", "dpMu"},
    {"mmap", "xuxxiu"},    {"mount", "pppxx"},     {"mprotect", "xux"},    {"mremap", "xuuxx"},
    {"munmap", "xu"},      {"newfstatat", "dpxx"}, {"open", "pom"},        {"openat", "dpom"},
    {"openat2", "dpxu"},   {"pipe", "x"},          {"pipe2", "xx"},        {"pread64", "ixuu"},
    {"prctl", "ixxxx"},    {"prlimit64", "iixx"},  {"ptrace", "iixx"},     {"pwrite64", "ixuu"},
    {"read", "ixu"},       {"readlink", "pxu"},    {"readlinkat", "dpxu"}, {"rename", "pp"},
    {"renameat", "dpdp"},  {"renameat2", "dpdpx"}, {"rmdir", "p"},         {"sched_yield", ""},
    {"setgid", "i"},       {"setpgid", "ii"},      {"setsid", ""},         {"setuid", "i"},
    {"socket", "ixi"},     {"socketpair", "ixix"}, {"stat", "px"},         {"statfs", "px"},
    {"statx", "dpxxx"},    {"symlink", "pp"},      {"symlinkat", "pdp"},   {"sync", ""},
    {"tgkill", "iii"},     {"tkill", "ii"},        {"truncate", "pu"},     {"umask", "M"},
    {"umount2", "px"},     {"unlink", "p"},        {"unlinkat", "dpx"},    {"unshare", "x"},
    {"utimensat", "dpxx"}, {"vfork", ""},          {"write", "ixu"},
};

std::string number(std::uint64_t value, int base, std::string_view prefix) {
  std::array<char, 24> digits;
  char* const end = std::to_chars(digits.begin(), digits.end(), value, base).ptr;
  return std::string(prefix).append(digits.data(), end);
}

std::string hexadecimal(std::uint64_t value) {
  return value == 0 ? "0" : number(value, 16, "0x");
}

std::string octal(std::uint64_t value) {
  return number(value, 8, "0");
}

std::string text_at(const Call& call, std::uint64_t address, Texts& texts) {
  const auto text = call.target.text(address, texts.path);
  if (!text) return hexadecimal(address);
  std::string shown = "\"";
  for (const char& byte : text->substr(0, kShown)) {
    shown += byte == '"' ? "\\x22" : escape({&byte, 1});  // which would end the text
  }
  return shown + (text->size() > kShown ? "\"..." : "\"");
}

std::string open_flags(unsigned flags) {
  struct Flag {
    unsigned bits;
    std::string_view name;
  };
  // Those of several bits before the one that they hold.
  static constexpr Flag kFlags[] = {
      {O_CREAT, "O_CREAT"},       {O_EXCL, "O_EXCL"},       {O_NOCTTY, "O_NOCTTY"},
      {O_TRUNC, "O_TRUNC"},       {O_APPEND, "O_APPEND"},   {O_NONBLOCK, "O_NONBLOCK"},
      {O_SYNC, "O_SYNC"},         {O_DSYNC, "O_DSYNC"},     {O_ASYNC, "O_ASYNC"},
      {O_DIRECT, "O_DIRECT"},     {O_TMPFILE, "O_TMPFILE"}, {O_DIRECTORY, "O_DIRECTORY"},
      {O_NOFOLLOW, "O_NOFOLLOW"}, {O_NOATIME, "O_NOATIME"}, {O_CLOEXEC, "O_CLOEXEC"},
      {O_PATH, "O_PATH"},
  };
  static constexpr std::string_view kAccess[] = {"O_RDONLY", "O_WRONLY", "O_RDWR", "3"};
  std::string shown(kAccess[flags & O_ACCMODE]);
  flags &= ~static_cast<unsigned>(O_ACCMODE);
  for (const Flag& flag : kFlags) {
    if ((flags & flag.bits) != flag.bits) continue;
    shown.append("|").append(flag.name);
    flags &= ~flag.bits;
  }
  return flags == 0 ? shown : shown + "|" + hexadecimal(flags);
}

std::string argument(const Call& call, std::size_t index, char kind, Texts& texts) {
  switch (kind) {
    case 'd':
      return call.as_int(index) == AT_FDCWD ? "AT_FDCWD" : std::to_string(call.as_int(index));
    case 'p':
      return text_at(call, call.word(index), texts);
    case 'o':
      return open_flags(call.as_unsigned(index));
    case 'm':
    case 'M':
      return octal(call.as_unsigned(index));
    case 'i':
      return std::to_string(call.as_int(index));
    case 'u':
      return std::to_string(call.word(index));
    default:
      return hexadecimal(call.word(index));
  }
}

}  // namespace

DecodedCall decode(const Call& call, Texts& texts) {
  DecodedCall decoded{call_name(call.notification.number), {}};
  const auto* const known = std::ranges::find(kSignatures, decoded.name, &Signature::call);
  const std::string_view kinds = known != std::end(kSignatures) ? known->arguments : "xxxxxx";
  bool makes_file = true;
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    if (kinds[i] == 'o') {
      constexpr unsigned kMakes = O_CREAT | (O_TMPFILE & ~O_DIRECTORY);
      makes_file = (call.as_unsigned(i) & kMakes) != 0;
    }
    if (kinds[i] == 'm' && !makes_file) continue;
    if (!decoded.arguments.empty()) decoded.arguments += ", ";
    decoded.arguments += argument(call, i, kinds[i], texts);
  }
  return decoded;
}

}  // namespace torno::notify
