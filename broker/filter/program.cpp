#include "broker/filter/program.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "broker/filter/compiler.h"
#include "broker/filter/landlock.h"
#include "broker/filter/syscall_rules.h"

namespace torno::filter {

Result<Instructions> compile(const policy::Policy& policy, Transport transport) {
  return compile_for(policy, landlock_abi(), transport);
}

std::vector<policy::Diagnostic> check(const policy::Policy& policy) {
  auto errors = syscall_rules(policy, conditions_for(policy, landlock_abi())).errors;
  return errors.empty() ? idle_rules(policy) : errors;
}

Result<Fd> to_memfd(const Instructions& program) {
  Fd file(::memfd_create("torno-filter", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!file) return std::unexpected(system_error("memfd_create", errno));
  const std::size_t size = program.size() * sizeof(sock_filter);
  // pwrite: the offset is shared by all who receive the descriptor, and stays 0.
  const ssize_t written = ::pwrite(file.get(), program.data(), size, 0);
  if (written < 0) return std::unexpected(system_error("write to a memfd", errno));
  if (static_cast<std::size_t>(written) != size) {
    return std::unexpected(Error{"write to a memfd: cut short; is memory left?"});
  }
  constexpr int kSeals = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
  if (::fcntl(file.get(), F_ADD_SEALS, kSeals) != 0) {
    return std::unexpected(system_error("seal a memfd", errno));
  }
  return file;
}

}  // namespace torno::filter
