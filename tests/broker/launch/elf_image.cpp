#include "tests/broker/launch/elf_image.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

namespace torno::launch::test {
namespace {

template <typename Part>
std::string_view bytes_of(const Part& part) {
  return {reinterpret_cast<const char*>(&part), sizeof part};
}

}  // namespace

ElfImage::ElfImage(std::string_view loader) {
  std::memcpy(head.e_ident, ELFMAG, SELFMAG);
  head.e_ident[EI_CLASS] = ELFCLASS64;
  head.e_ident[EI_DATA] = ELFDATA2LSB;
  head.e_ident[EI_VERSION] = EV_CURRENT;
  head.e_type = ET_DYN;
  head.e_machine = EM_X86_64;
  head.e_version = EV_CURRENT;
  head.e_phoff = sizeof head;
  head.e_ehsize = sizeof head;
  head.e_phentsize = sizeof load;
  head.e_phnum = 2;
  load.p_type = PT_LOAD;
  interpreter.p_type = loader.empty() ? PT_LOAD : PT_INTERP;
  if (loader.empty()) return;
  text = std::string(loader) + '\0';
  interpreter.p_offset = sizeof head + 2 * sizeof load;
  interpreter.p_filesz = text.size();
}

std::string ElfImage::bytes() const {
  std::string all(bytes_of(head));
  all += bytes_of(load);
  all += bytes_of(interpreter);
  return all + text;
}

Fd file_of(std::string_view bytes) {
  Fd file(::memfd_create("elf", MFD_CLOEXEC));
  const ssize_t written = ::write(file.get(), bytes.data(), bytes.size());
  if (written != static_cast<ssize_t>(bytes.size())) std::abort();
  return file;
}

}  // namespace torno::launch::test
