// Snapshot: what is looked at of a thread that is about to die, and handed to torno-backtrace: the
// registers, the bytes of its stack, and the files that its process has mapped.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "broker/base/fd.h"

namespace torno::backtrace {

// DWARF's numbers on x86_64: rax rdx rcx rbx rsi rdi rbp rsp r8 to r15, and the address of what was
// about to run.
inline constexpr std::size_t kRegisters = 17;
inline constexpr std::size_t kStackPointer = 7;
inline constexpr std::size_t kMostModules = 128;
inline constexpr std::size_t kMostStack = std::size_t{256} << 10;
inline constexpr std::size_t kMostFrames = 64;
inline constexpr std::size_t kNameSize = 256;

// The helper's descriptors: the snapshot, then one for each module.
inline constexpr int kSnapshotFd = 3;
inline constexpr int kFirstModuleFd = 4;

// As they lie in the snapshot's memfd, one after the other: Header, Modules, the stack.
struct Header {
  std::array<std::uint64_t, kRegisters> registers;
  std::uint64_t modules;
  std::uint64_t stack;  // bytes, from the stack pointer's red zone on
  std::uint64_t stack_start;
};

struct Module {
  std::uint64_t start;
  std::array<char, kNameSize> name;  // ends in a NUL
};

struct ModuleFile {
  Module module;
  Fd file;
};

struct Snapshot {
  Header header{};
  std::vector<ModuleFile> modules;
  std::vector<std::byte> stack;
  std::string title;  // "name[123], thread 124"
};

// Of a thread that this one traces and that stands still. Without an own error: what cannot be
// looked at is missing, and the backtrace is shorter.
Snapshot take_snapshot(int thread);

}  // namespace torno::backtrace
