// Any bytes as a program's file: its ELF head, or the first line of a script. What comes out is a
// name for one open(2), or a sentence of printable ASCII; a wrong program is never taken for a
// static one.
#include <elf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "broker/launch/elf.h"
#include "broker/launch/script.h"

namespace {

constexpr std::size_t kLargest = 1 << 17;  // more than the largest program header table

void must(bool holds) {
  if (!holds) std::abort();
}

// The same file for every input: a new one for each would take most of the time.
int file_with(std::string_view bytes) {
  static const int file = ::memfd_create("elf", MFD_CLOEXEC);
  must(::ftruncate(file, 0) == 0);
  must(::pwrite(file, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
  return file;
}

bool names_an_interpreter(std::string_view bytes) {
  Elf64_Ehdr head;
  std::memcpy(&head, bytes.data(), sizeof head);
  std::vector<Elf64_Phdr> headers(head.e_phnum);
  std::memcpy(headers.data(), bytes.data() + head.e_phoff, headers.size() * sizeof headers[0]);
  return std::ranges::any_of(headers, [](const auto& each) { return each.p_type == PT_INTERP; });
}

void check_elf(std::string_view bytes) {
  const auto elf = torno::launch::read_elf(file_with(bytes));
  if (!elf) {
    must(!elf.error().message.empty());
    for (const char c : elf.error().message) must(c >= 0x20 && c < 0x7f);
    return;
  }
  must(elf->is_static() != names_an_interpreter(bytes));
  must(elf->interpreter.size() < PATH_MAX);
  must(elf->interpreter.find('\0') == std::string::npos);
  must(bytes.find(elf->interpreter) != std::string_view::npos);
}

void check_script(std::string_view bytes) {
  const auto interpreter = torno::launch::script_interpreter(bytes);
  if (!interpreter) return;
  must(torno::launch::is_script(bytes));
  must(!interpreter->empty() && interpreter->size() < torno::launch::kScriptHead);
  must(interpreter->find_first_of(std::string_view(" \t\n\0", 4)) == std::string::npos);
  must(bytes.substr(2).find_first_not_of(" \t") == bytes.find(*interpreter, 2) - 2);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), std::min(size, kLargest));
  check_elf(bytes);
  check_script(bytes);
  return 0;
}
