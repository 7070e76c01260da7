// Elf: what the head of a program's file says. It is read as the kernel's execve reads it; its
// bytes are whoever's wrote the file.
#pragma once

#include <string>

#include "broker/base/error.h"

namespace torno::launch {

struct Elf {
  // The loader that the kernel starts the program with (PT_INTERP); empty: the program is static.
  std::string interpreter;

  bool is_static() const { return interpreter.empty(); }
};

// Of the file open as `fd`, read with pread(2): a 64-bit ELF program or shared object for x86_64.
// The error is what a sentence says of such a file: "is a 32-bit program, ...".
Result<Elf> read_elf(int fd);

}  // namespace torno::launch
