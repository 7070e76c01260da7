#include "sandboxee/terms.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <new>

namespace torno {
namespace {

// A program that the broker could still change is not the one that was decided on.
constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

bool read_program(int memfd, Terms& terms, Failure& fail) {
  struct stat file;
  if (fstat(memfd, &file) != 0) return fail.system(errno, "cannot read the filter");
  const int seals = fcntl(memfd, F_GET_SEALS);
  if (seals < 0 || (seals & kSeals) != kSeals) {
    return fail(EPROTO, "the broker sent a filter that is not sealed");
  }
  const auto size = static_cast<std::size_t>(file.st_size);
  if (size == 0 || size % sizeof(sock_filter) != 0 || size > sizeof terms.instructions) {
    return fail(EPROTO, "the broker sent a filter of %zu bytes", size);
  }
  if (pread(memfd, terms.instructions, size, 0) != file.st_size) {
    return fail.system(EIO, "cannot read the filter");
  }
  terms.instruction_count = size / sizeof(sock_filter);
  return true;
}

}  // namespace

bool read_terms(Received& received, Terms& terms, Failure& fail) {
  Fd program(received.fd_count > 0 ? received.fds[0] : -1);
  terms.ruleset.reset(received.fd_count > 1 ? received.fds[1] : -1);
  const unsigned layers = terms.welcome.layers;
  const bool landlock = (layers & torno_wire_Layer_LAYER_LANDLOCK) != 0;
  if (received.fds_lost || received.fd_count != (landlock ? 2 : 1)) {
    return fail(received.fds_lost ? EMFILE : EPROTO,
                "the broker's answer came with %d descriptors instead of %d", received.fd_count,
                landlock ? 2 : 1);
  }
  constexpr unsigned kRequired =
      torno_wire_Layer_LAYER_NO_NEW_PRIVS | torno_wire_Layer_LAYER_SECCOMP;
  if ((layers & kRequired) != kRequired) {
    return fail(EPROTO, "the broker asks for no seccomp filter");
  }
  return read_program(program.get(), terms, fail);
}

Terms* new_terms() {
  void* const memory =
      mmap(nullptr, sizeof(Terms), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? nullptr : new (memory) Terms();
}

void delete_terms(Terms* terms) {
  if (terms == nullptr) return;
  terms->ruleset.reset();
  munmap(terms, sizeof(Terms));
}

}  // namespace torno
