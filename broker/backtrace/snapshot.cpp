#include "broker/backtrace/snapshot.h"

#include <fcntl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/user.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "broker/base/error.h"

namespace torno::backtrace {
namespace {

constexpr std::uint64_t kRedZone = 128;
constexpr std::uint64_t kPage = 4096;

std::array<std::uint64_t, kRegisters> registers_of(int thread) {
  user_regs_struct r{};
  ::ptrace(PTRACE_GETREGS, thread, nullptr, &r);
  return {r.rax, r.rdx, r.rcx, r.rbx, r.rsi, r.rdi, r.rbp, r.rsp, r.r8,
          r.r9,  r.r10, r.r11, r.r12, r.r13, r.r14, r.r15, r.rip};
}

std::vector<std::byte> read_stack(int thread, std::uint64_t start) {
  std::vector<std::byte> stack(kMostStack);
  std::size_t size = 0;
  while (size < stack.size()) {
    // To a page's end: what lies behind it may be nothing.
    const std::uint64_t at = start + size;
    const std::size_t piece = std::min<std::size_t>(stack.size() - size, kPage - at % kPage);
    const iovec ours{stack.data() + size, piece};
    const iovec theirs{reinterpret_cast<void*>(static_cast<std::uintptr_t>(at)), piece};
    if (::process_vm_readv(thread, &ours, 1, &theirs, 1, 0) != static_cast<ssize_t>(piece)) break;
    size += piece;
  }
  stack.resize(size);
  return stack;
}

// The file that is mapped, and no other that has its name meanwhile; never a device, which opening
// may do something to. Its device's number is not that of the mapping under overlayfs.
Fd open_module(const std::string& path, std::uint64_t inode) {
  const Fd found(::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct stat status{};
  if (!found || ::fstat(found.get(), &status) != 0) return Fd();
  if (!S_ISREG(status.st_mode) || status.st_ino != inode) return Fd();
  const std::string itself = "/proc/self/fd/" + std::to_string(found.get());
  return Fd(::open(itself.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
}

// The lowest mapping of each file that has code.
std::vector<ModuleFile> modules_of(int thread) {
  struct Candidate {
    std::uint64_t start;
    std::uint64_t inode;
    std::string path;
    bool has_code;
  };
  std::vector<Candidate> candidates;
  std::ifstream maps("/proc/" + std::to_string(thread) + "/maps");
  for (std::string line; std::getline(maps, line);) {
    std::istringstream words(line);
    std::uint64_t start = 0;
    std::uint64_t inode = 0;
    std::string end;
    std::string rights;
    std::string offset;
    std::string device;
    std::string path;
    words >> std::hex >> start >> end >> rights >> offset >> device >> std::dec >> inode >> std::ws;
    std::getline(words, path);
    if (!path.starts_with('/') || rights.size() < 3) continue;
    const bool has_code = rights[2] == 'x';
    if (!candidates.empty() && candidates.back().inode == inode && candidates.back().path == path) {
      candidates.back().has_code = candidates.back().has_code || has_code;
    } else {
      candidates.push_back({start, inode, path, has_code});
    }
  }
  std::vector<ModuleFile> modules;
  for (const Candidate& each : candidates) {
    if (!each.has_code || modules.size() == kMostModules) continue;
    ModuleFile module{};
    module.module.start = each.start;
    each.path.copy(module.module.name.data(), kNameSize - 1);
    module.file = open_module(each.path, each.inode);
    if (module.file) modules.push_back(std::move(module));
  }
  return modules;
}

std::string title_of(int thread) {
  const std::string folder = "/proc/" + std::to_string(thread);
  std::string name;
  std::ifstream comm(folder + "/comm");
  std::getline(comm, name);
  return escape(name) + "[" + std::to_string(thread) + "]";
}

}  // namespace

Snapshot take_snapshot(int thread) {
  Snapshot snapshot;
  snapshot.header.registers = registers_of(thread);
  snapshot.header.stack_start = snapshot.header.registers[kStackPointer] - kRedZone;
  snapshot.stack = read_stack(thread, snapshot.header.stack_start);
  snapshot.modules = modules_of(thread);
  snapshot.header.modules = snapshot.modules.size();
  snapshot.header.stack = snapshot.stack.size();
  snapshot.title = title_of(thread);
  return snapshot;
}

}  // namespace torno::backtrace
