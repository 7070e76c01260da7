#include "broker/launch/elf.h"

#include <elf.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <vector>

namespace torno::launch {
namespace {

constexpr std::uint16_t kMachine = EM_X86_64;

// As the kernel's: it reads no larger table, and no longer path of an interpreter.
constexpr std::size_t kMaxHeaderBytes = 65536;
constexpr std::size_t kMaxInterpreter = PATH_MAX;

constexpr const char* kTruncated = "is a truncated ELF file; get a whole one";

std::unexpected<Error> refuse(std::string why) {
  return std::unexpected(Error{std::move(why)});
}

// All of `bytes` from `offset` on, or why not.
Result<void> read_at(int fd, std::uint64_t offset, std::span<char> bytes) {
  if (offset > static_cast<std::uint64_t>(std::numeric_limits<off_t>::max()) - bytes.size()) {
    return refuse(kTruncated);
  }
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t count =
        ::pread(fd, bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return std::unexpected(system_error("cannot be read", errno));
    if (count == 0) return refuse(kTruncated);
    done += static_cast<std::size_t>(count);
  }
  return {};
}

std::string machine_name(std::uint16_t machine) {
  switch (machine) {
    case EM_386:
      return "32-bit x86";
    case EM_ARM:
      return "32-bit ARM";
    case EM_AARCH64:
      return "aarch64";
    case EM_RISCV:
      return "RISC-V";
    case EM_PPC64:
      return "ppc64";
    case EM_S390:
      return "s390x";
    default:
      return "machine number " + std::to_string(machine);
  }
}

Result<void> check_head(const Elf64_Ehdr& head) {
  // These two stand at the same place in files of either class and byte order.
  if (head.e_ident[EI_CLASS] != ELFCLASS64) {
    return refuse("is a 32-bit program; Torno starts 64-bit programs alone");
  }
  if (head.e_ident[EI_DATA] != ELFDATA2LSB) {
    return refuse("is built for a big-endian machine; Torno starts x86_64 programs alone");
  }
  if (head.e_machine != kMachine) {
    return refuse("is built for another machine (" + machine_name(head.e_machine) +
                  "); Torno starts x86_64 programs alone");
  }
  if (head.e_type != ET_EXEC && head.e_type != ET_DYN) {
    return refuse(head.e_type == ET_REL    ? "is an object file; link it to a program first"
                  : head.e_type == ET_CORE ? "is a core dump, not a program"
                                           : "is an ELF file of an unknown type, not a program");
  }
  if (head.e_phentsize != sizeof(Elf64_Phdr) || head.e_phnum == 0 ||
      head.e_phnum * sizeof(Elf64_Phdr) > kMaxHeaderBytes) {
    return refuse("is a damaged ELF file: no kernel takes its program headers");
  }
  return {};
}

Result<std::string> read_interpreter(int fd, const Elf64_Phdr& header) {
  if (header.p_filesz < 2 || header.p_filesz > kMaxInterpreter) {
    return refuse("is a damaged ELF file: the name of its interpreter is " +
                  std::to_string(header.p_filesz) + " bytes long");
  }
  std::string text(header.p_filesz, '\0');
  if (auto read = read_at(fd, header.p_offset, text); !read) return std::unexpected(read.error());
  if (text.back() != '\0') {
    return refuse("is a damaged ELF file: the name of its interpreter does not end");
  }
  text.resize(text.find('\0'));
  if (text.empty()) return refuse("is a damaged ELF file: its interpreter has no name");
  return text;
}

}  // namespace

Result<Elf> read_elf(int fd) {
  Elf64_Ehdr head;
  const std::span<char> head_bytes(reinterpret_cast<char*>(&head), sizeof head);
  if (auto read = read_at(fd, 0, head_bytes.first(SELFMAG)); !read) {
    return std::unexpected(read.error());
  }
  if (std::memcmp(head.e_ident, ELFMAG, SELFMAG) != 0) return refuse("is no ELF file");
  if (auto read = read_at(fd, 0, head_bytes); !read) return std::unexpected(read.error());
  if (auto checked = check_head(head); !checked) return std::unexpected(checked.error());

  std::vector<Elf64_Phdr> headers(head.e_phnum);
  const std::span<char> bytes(reinterpret_cast<char*>(headers.data()),
                              headers.size() * sizeof(Elf64_Phdr));
  if (auto read = read_at(fd, head.e_phoff, bytes); !read) return std::unexpected(read.error());

  // The kernel takes the first, whatever follows.
  const auto named = std::ranges::find(headers, Elf64_Word{PT_INTERP}, &Elf64_Phdr::p_type);
  if (named == headers.end()) return Elf{};
  auto interpreter = read_interpreter(fd, *named);
  if (!interpreter) return std::unexpected(interpreter.error());
  return Elf{std::move(*interpreter)};
}

}  // namespace torno::launch
