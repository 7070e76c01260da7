// torno-backtrace: names for a snapshot's addresses. Started by the launcher, with descriptors and
// nothing else; everything that it reads is hostile, so it gives up all but computing first.
#include <elfutils/libdwfl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <span>
#include <string>

#include "broker/backtrace/snapshot.h"
#include "broker/filter/program.h"
#include "broker/policy/loader.h"

namespace torno::backtrace {
namespace {

// More than the debugging information of any program of a usual size unpacks to.
constexpr rlim_t kMostMemory = rlim_t{2} << 30;
constexpr rlim_t kMostSeconds = 5;

bool limit(__rlimit_resource resource, rlim_t value) {
  const rlimit both{value, value};
  return ::setrlimit(resource, &both) == 0;
}

bool drop_capabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {};
  return ::syscall(SYS_capset, &header, none) == 0;
}

// What the filter asks a broker for fails here, but for glibc's fstat, which is a newfstatat of an
// empty path.
void answer_trap(int, siginfo_t*, void* context) {
  greg_t* const registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
  const bool is_fstat = registers[REG_RAX] == SYS_newfstatat &&
                        *reinterpret_cast<const char*>(registers[REG_RSI]) == 0;
  const long result = is_fstat ? ::syscall(SYS_fstat, registers[REG_RDI], registers[REG_RDX]) : -1;
  registers[REG_RAX] = result < 0 ? -EACCES : result;
}

bool take_traps() {
  struct sigaction action{};
  action.sa_sigaction = answer_trap;
  action.sa_flags = SA_SIGINFO;
  return ::sigaction(SIGSYS, &action, nullptr) == 0;
}

filter::Instructions make_filter() {
  const policy::Loaded loaded =
      policy::load_text("name: \"torno-backtrace\" profile: PURE_COMPUTATION", "", {});
  if (loaded.policy == nullptr) return {};
  return filter::compile(*loaded.policy).value_or(filter::Instructions());
}

bool load_filter(const filter::Instructions& program) {
  const sock_fprog given{static_cast<unsigned short>(program.size()),
                         const_cast<sock_filter*>(program.data())};
  return ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &given) == 0;
}

// The kernel takes no empty program.
bool seal() {
  const filter::Instructions program = make_filter();
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  if (!limit(RLIMIT_AS, kMostMemory)) return false;
#endif
  return limit(RLIMIT_CPU, kMostSeconds) && limit(RLIMIT_CORE, 0) && limit(RLIMIT_FSIZE, 0) &&
         take_traps() && drop_capabilities() && ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         load_filter(program);
}

struct Input {
  Header header{};
  std::span<const Module> modules;
  std::span<const std::byte> stack;
};

bool map_input(Input& input) {
  struct stat status{};
  if (::fstat(kSnapshotFd, &status) != 0) return false;
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size < sizeof(Header)) return false;
  void* const mapped = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, kSnapshotFd, 0);
  if (mapped == MAP_FAILED) return false;
  const auto* const bytes = static_cast<const std::byte*>(mapped);
  std::memcpy(&input.header, bytes, sizeof input.header);
  const std::size_t rest = size - sizeof(Header);
  if (input.header.modules > kMostModules || input.header.stack > kMostStack) return false;
  const std::size_t modules = input.header.modules * sizeof(Module);
  if (rest != modules + input.header.stack) return false;
  input.modules = {reinterpret_cast<const Module*>(bytes + sizeof(Header)), input.header.modules};
  input.stack = {bytes + sizeof(Header) + modules, input.header.stack};
  return true;
}

int find_no_elf(Dwfl_Module*, void**, const char*, Dwarf_Addr, char**, Elf**) {
  return -1;
}

int find_no_debuginfo(Dwfl_Module*, void**, const char*, Dwarf_Addr, const char*, const char*,
                      GElf_Word, char**) {
  return -1;
}

pid_t next_thread(Dwfl*, void* input, void** thread) {
  if (*thread != nullptr) return 0;
  *thread = input;
  return 1;
}

bool read_memory(Dwfl*, Dwarf_Addr address, Dwarf_Word* result, void* argument) {
  const auto& input = *static_cast<const Input*>(argument);
  const std::uint64_t start = input.header.stack_start;
  if (address < start || address - start > input.stack.size() ||
      input.stack.size() - (address - start) < sizeof *result) {
    return false;
  }
  std::memcpy(result, input.stack.data() + (address - start), sizeof *result);
  return true;
}

bool set_registers(Dwfl_Thread* thread, void* argument) {
  const auto& input = *static_cast<const Input*>(argument);
  std::array<Dwarf_Word, kRegisters> registers;
  std::copy(input.header.registers.begin(), input.header.registers.end(), registers.begin());
  return ::dwfl_thread_state_registers(thread, 0, kRegisters, registers.data());
}

std::string where(Dwfl_Module* module, Dwarf_Addr address) {
  Dwfl_Line* const line = ::dwfl_module_getsrc(module, address);
  int number = 0;
  const char* const file = line != nullptr
                               ? ::dwfl_lineinfo(line, nullptr, &number, nullptr, nullptr, nullptr)
                               : nullptr;
  if (file == nullptr) return {};
  const char* const name = std::strrchr(file, '/');
  return std::string(" (") + (name != nullptr ? name + 1 : file) + ":" + std::to_string(number) +
         ")";
}

int tell_frame(Dwfl_Frame* frame, void* argument) {
  auto& count = *static_cast<std::size_t*>(argument);
  Dwarf_Addr pc = 0;
  bool is_activation = false;
  if (!::dwfl_frame_pc(frame, &pc, &is_activation)) return DWARF_CB_ABORT;
  // A return address may lie behind the function that has called.
  const Dwarf_Addr address = is_activation ? pc : pc - 1;
  Dwfl_Module* const module =
      ::dwfl_addrmodule(::dwfl_thread_dwfl(::dwfl_frame_thread(frame)), address);
  std::string text;
  if (module != nullptr) {
    GElf_Off offset = 0;
    GElf_Sym symbol{};
    const char* const name =
        ::dwfl_module_addrinfo(module, address, &offset, &symbol, nullptr, nullptr, nullptr);
    if (name != nullptr) {
      char number[32];
      std::snprintf(number, sizeof number, "+0x%" PRIx64, offset + (pc - address));
      text = std::string(" in ") + name + number;
    }
    text += where(module, address);
    const char* const file =
        ::dwfl_module_info(module, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr);
    if (file != nullptr) text.append(" ").append(file);
  }
  std::printf("#%zu 0x%016" PRIx64 "%s\n", count, pc, text.c_str());
  std::fflush(stdout);
  return ++count < kMostFrames ? DWARF_CB_OK : DWARF_CB_ABORT;
}

int tell_frames(Dwfl_Thread* thread, void* count) {
  ::dwfl_thread_getframes(thread, tell_frame, count);
  return DWARF_CB_ABORT;  // there is one
}

bool tell(Input& input) {
  static const Dwfl_Callbacks kCallbacks = {find_no_elf, find_no_debuginfo,
                                            ::dwfl_offline_section_address, nullptr};
  static const Dwfl_Thread_Callbacks kThread = {next_thread,   nullptr, read_memory,
                                                set_registers, nullptr, nullptr};
  Dwfl* const dwfl = ::dwfl_begin(&kCallbacks);
  if (dwfl == nullptr) return false;
  ::dwfl_report_begin(dwfl);
  for (std::size_t i = 0; i < input.modules.size(); ++i) {
    std::string name(input.modules[i].name.data(), kNameSize);
    name.resize(std::strlen(name.c_str()));
    ::dwfl_report_elf(dwfl, name.c_str(), name.c_str(), kFirstModuleFd + static_cast<int>(i),
                      input.modules[i].start, false);
  }
  ::dwfl_report_end(dwfl, nullptr, nullptr);
  if (!::dwfl_attach_state(dwfl, nullptr, 1, &kThread, &input)) return false;
  std::size_t count = 0;
  ::dwfl_getthreads(dwfl, tell_frames, &count);
  return count > 0;
}

}  // namespace
}  // namespace torno::backtrace

int main() {
  using namespace torno::backtrace;
  Input input;
  // Without a walk through destructors, that hostile bytes may have reached.
  ::_exit(seal() && map_input(input) && tell(input) ? 0 : 1);
}
