#include "broker/filter/chain.h"

#include <errno.h>
#include <linux/bpf_common.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>

namespace torno::filter {
namespace {

// Return values that stand for jumps until a step is spliced in. No rule uses SCMP_ACT_TRACE.
constexpr std::uint32_t kElse = SCMP_ACT_TRACE(1);
constexpr std::uint32_t kMatched = SCMP_ACT_TRACE(2);

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

Result<Instructions> compile_step(std::span<const Rule> rules, std::uint32_t otherwise) {
  const Context context(::seccomp_init(otherwise));
  if (!context) return std::unexpected(Error{"libseccomp: seccomp_init failed"});
  for (const auto& [attribute, value] : {std::pair{SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS},
                                         std::pair{SCMP_FLTATR_CTL_OPTIMIZE, kBinaryTree}}) {
    const int result = ::seccomp_attr_set(context.get(), attribute, value);
    if (result != 0) return std::unexpected(compile_error("seccomp_attr_set", result));
  }
  for (const Rule& rule : rules) {
    const int number = call_number(rule.call);
    if (number < 0 || rule.action == otherwise) continue;
    const int result =
        ::seccomp_rule_add_exact_array(context.get(), rule.action, number,
                                       static_cast<unsigned>(rule.when.size()), rule.when.data());
    if (result != 0) return std::unexpected(compile_error("a rule for " + rule.call, result));
  }
  return export_program(context);
}

// Jumps are relative, so steps keep working wherever they stand.
void replace_returns(Instructions& program, std::uint32_t value, std::size_t target) {
  for (std::size_t i = 0; i < program.size(); ++i) {
    if (program[i].code == (BPF_RET | BPF_K) && program[i].k == value) {
      program[i] = {BPF_JMP | BPF_JA, 0, 0, static_cast<std::uint32_t>(target - i - 1)};
    }
  }
}

void append(Instructions& program, const Instructions& step) {
  program.insert(program.end(), step.begin(), step.end());
}

}  // namespace

int call_number(const std::string& call) {
  return ::seccomp_syscall_resolve_name_arch(SCMP_ARCH_NATIVE, call.c_str());
}

Result<void> Chain::add(std::span<const Rule> rules) {
  if (rules.empty()) return {};
  Result<Instructions> step = compile_step(rules, kElse);
  if (!step) return std::unexpected(step.error());
  replace_returns(*step, kElse, step->size());
  append(program_, *step);
  return {};
}

Result<void> Chain::add_exact(const Rule& rule) {
  if (rule.when.empty()) return add({&rule, 1});
  Instructions whole;
  for (std::size_t i = 0; i < rule.when.size(); ++i) {
    const bool last = i + 1 == rule.when.size();
    const Rule part{rule.call, last ? rule.action : kMatched, {rule.when[i]}};
    Result<Instructions> step = compile_step({&part, 1}, kElse);
    if (!step) return std::unexpected(step.error());
    replace_returns(*step, kMatched, step->size());
    append(whole, *step);
  }
  replace_returns(whole, kElse, whole.size());
  append(program_, whole);
  return {};
}

Result<Instructions> Chain::finish(std::span<const Rule> rules, std::uint32_t otherwise) {
  Result<Instructions> step = compile_step(rules, otherwise);
  if (!step) return std::unexpected(step.error());
  append(program_, *step);
  return std::move(program_);
}

}  // namespace torno::filter
