#include "broker/filter/step.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>

namespace torno::filter {
namespace {

// Sort the calls into a binary tree: a chain of comparisons would be walked at every call.
constexpr std::uint32_t kBinaryTree = 2;

struct Release {
  void operator()(void* context) const { ::seccomp_release(context); }
};
using Context = std::unique_ptr<void, Release>;

Error compile_error(std::string_view what, int result) {
  return system_error("libseccomp: " + std::string(what), -result);
}

Result<Instructions> read_program(int fd) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) return std::unexpected(system_error("fstat", errno));
  Instructions program(static_cast<std::size_t>(status.st_size) / sizeof(sock_filter));
  const std::size_t size = program.size() * sizeof(sock_filter);
  if (::pread(fd, program.data(), size, 0) != static_cast<ssize_t>(size)) {
    return std::unexpected(Error{"the exported filter cannot be read back"});
  }
  return program;
}

// libseccomp 2.5.4 exports to a file descriptor alone.
Result<Instructions> export_program(const Context& context) {
  const Fd file(::memfd_create("torno-filter-step", MFD_CLOEXEC));
  if (!file) return std::unexpected(system_error("memfd_create", errno));
  if (const int result = ::seccomp_export_bpf(context.get(), file.get()); result != 0) {
    return std::unexpected(compile_error("seccomp_export_bpf", result));
  }
  return read_program(file.get());
}

// The call's number; negative: the rule says nothing in this step.
int number_in_step(const Rule& rule, std::uint32_t otherwise) {
  return rule.action == otherwise ? -1 : call_number(rule.call);
}

template <typename T>
void append(std::string& bytes, T value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

}  // namespace

int call_number(const std::string& call) {
  return ::seccomp_syscall_resolve_name_arch(SCMP_ARCH_NATIVE, call.c_str());
}

Result<Instructions> compile_step(std::span<const Rule> rules, std::uint32_t otherwise) {
  const Context context(::seccomp_init(otherwise));
  if (!context) return std::unexpected(Error{"libseccomp: seccomp_init failed"});
  for (const auto& [attribute, value] : {std::pair{SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS},
                                         std::pair{SCMP_FLTATR_CTL_OPTIMIZE, kBinaryTree}}) {
    const int result = ::seccomp_attr_set(context.get(), attribute, value);
    if (result != 0) return std::unexpected(compile_error("seccomp_attr_set", result));
  }
  for (const Rule& rule : rules) {
    const int number = number_in_step(rule, otherwise);
    if (number < 0) continue;
    const int result =
        ::seccomp_rule_add_exact_array(context.get(), rule.action, number,
                                       static_cast<unsigned>(rule.when.size()), rule.when.data());
    if (result != 0) return std::unexpected(compile_error("a rule for " + rule.call, result));
  }
  return export_program(context);
}

std::string identity_of(std::span<const Rule> rules, std::uint32_t otherwise) {
  std::string bytes;
  append(bytes, otherwise);
  for (const Rule& rule : rules) {
    const int number = number_in_step(rule, otherwise);
    if (number < 0) continue;
    append(bytes, number);
    append(bytes, rule.action);
    append(bytes, static_cast<std::uint32_t>(rule.when.size()));
    for (const Comparison& comparison : rule.when) {
      append(bytes, comparison.arg);
      append(bytes, static_cast<std::uint32_t>(comparison.op));
      append(bytes, comparison.datum_a);
      append(bytes, comparison.datum_b);
    }
  }
  return bytes;
}

}  // namespace torno::filter
