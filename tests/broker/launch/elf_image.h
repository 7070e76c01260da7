// ElfImage: a small ELF file, byte by byte, and the same in a file without a name.
#pragma once

#include <elf.h>

#include <string>
#include <string_view>

#include "broker/base/fd.h"

namespace torno::launch::test {

struct ElfImage {
  Elf64_Ehdr head{};
  Elf64_Phdr load{};
  Elf64_Phdr interpreter{};
  std::string text;  // what `interpreter` names, at the end of the file

  // A right one; `loader` empty: static, with two PT_LOAD.
  explicit ElfImage(std::string_view loader);

  std::string bytes() const;
};

// A memfd that holds `bytes`.
Fd file_of(std::string_view bytes);

}  // namespace torno::launch::test
