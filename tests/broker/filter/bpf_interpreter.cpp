#include "tests/broker/filter/bpf_interpreter.h"

#include <array>
#include <cstring>

namespace torno::filter::test {
namespace {

struct Machine {
  std::uint32_t a = 0;
  std::uint32_t x = 0;
  std::array<std::uint32_t, BPF_MEMWORDS> memory{};
};

std::uint32_t operand(const sock_filter& instruction, const Machine& machine) {
  return BPF_SRC(instruction.code) == BPF_X ? machine.x : instruction.k;
}

std::uint32_t load_word(const seccomp_data& data, std::uint32_t offset) {
  std::uint32_t word = 0;
  std::memcpy(&word, reinterpret_cast<const char*>(&data) + offset, sizeof word);
  return word;
}

std::uint32_t compute(std::uint16_t operation, std::uint32_t a, std::uint32_t value) {
  switch (operation) {
    case BPF_ADD:
      return a + value;
    case BPF_SUB:
      return a - value;
    case BPF_MUL:
      return a * value;
    case BPF_DIV:
      return value == 0 ? 0 : a / value;
    case BPF_AND:
      return a & value;
    case BPF_OR:
      return a | value;
    case BPF_XOR:
      return a ^ value;
    case BPF_LSH:
      return a << (value & 31);
    case BPF_RSH:
      return a >> (value & 31);
    default:
      return 0U - a;  // BPF_NEG
  }
}

bool holds(std::uint16_t operation, std::uint32_t a, std::uint32_t value) {
  switch (operation) {
    case BPF_JEQ:
      return a == value;
    case BPF_JGT:
      return a > value;
    case BPF_JGE:
      return a >= value;
    default:
      return (a & value) != 0;  // BPF_JSET
  }
}

bool known_alu(std::uint16_t code) {
  if (code == (BPF_ALU | BPF_NEG)) return true;
  if (BPF_CLASS(code) != BPF_ALU || (code & ~(BPF_ALU | 0xf8)) != 0) return false;
  return BPF_OP(code) <= BPF_RSH || BPF_OP(code) == BPF_XOR;
}

bool known_jump(std::uint16_t code) {
  if (BPF_CLASS(code) != BPF_JMP || (code & ~(BPF_JMP | 0xf8)) != 0) return false;
  return BPF_OP(code) >= BPF_JEQ && BPF_OP(code) <= BPF_JSET;
}

std::string at(std::size_t index, const char* what) {
  return "instruction " + std::to_string(index) + ": " + what;
}

std::string check_instruction(std::span<const sock_filter> program, std::size_t index) {
  const sock_filter& instruction = program[index];
  const std::size_t left = program.size() - index - 1;
  switch (instruction.code) {
    case BPF_LD | BPF_W | BPF_ABS:
      if (instruction.k >= sizeof(seccomp_data) || instruction.k % 4 != 0) {
        return at(index, "loads from outside seccomp_data");
      }
      return {};
    case BPF_LD | BPF_MEM:
    case BPF_LDX | BPF_MEM:
    case BPF_ST:
    case BPF_STX:
      return instruction.k < BPF_MEMWORDS ? std::string() : at(index, "no such memory word");
    case BPF_LD | BPF_IMM:
    case BPF_LDX | BPF_IMM:
    case BPF_LD | BPF_W | BPF_LEN:
    case BPF_LDX | BPF_W | BPF_LEN:
    case BPF_MISC | BPF_TAX:
    case BPF_MISC | BPF_TXA:
    case BPF_RET | BPF_K:
    case BPF_RET | BPF_A:
      return {};
    case BPF_JMP | BPF_JA:
      return instruction.k < left ? std::string() : at(index, "jumps out of the program");
    default:
      break;
  }
  if (known_jump(instruction.code)) {
    return instruction.jt < left && instruction.jf < left ? std::string()
                                                          : at(index, "jumps out of the program");
  }
  if (!known_alu(instruction.code)) return at(index, "no instruction of a seccomp filter");
  const bool by_constant = BPF_SRC(instruction.code) == BPF_K;
  if (by_constant && BPF_OP(instruction.code) == BPF_DIV && instruction.k == 0) {
    return at(index, "divides by zero");
  }
  const bool shifts = BPF_OP(instruction.code) == BPF_LSH || BPF_OP(instruction.code) == BPF_RSH;
  return by_constant && shifts && instruction.k >= 32 ? at(index, "shifts too far") : std::string();
}

}  // namespace

std::string check_program(std::span<const sock_filter> program) {
  if (program.empty() || program.size() > BPF_MAXINSNS) return "too short or too long";
  for (std::size_t i = 0; i < program.size(); ++i) {
    if (std::string error = check_instruction(program, i); !error.empty()) return error;
  }
  return BPF_CLASS(program.back().code) == BPF_RET ? "" : "does not end in a return";
}

Run run_program(std::span<const sock_filter> program, const seccomp_data& data) {
  Machine machine;
  std::size_t steps = 0;
  for (std::size_t pc = 0;; ++pc) {
    const sock_filter& instruction = program[pc];
    ++steps;
    switch (instruction.code) {
      case BPF_LD | BPF_W | BPF_ABS:
        machine.a = load_word(data, instruction.k);
        break;
      case BPF_LD | BPF_W | BPF_LEN:
        machine.a = sizeof(seccomp_data);
        break;
      case BPF_LDX | BPF_W | BPF_LEN:
        machine.x = sizeof(seccomp_data);
        break;
      case BPF_LD | BPF_IMM:
        machine.a = instruction.k;
        break;
      case BPF_LDX | BPF_IMM:
        machine.x = instruction.k;
        break;
      case BPF_LD | BPF_MEM:
        machine.a = machine.memory[instruction.k];
        break;
      case BPF_LDX | BPF_MEM:
        machine.x = machine.memory[instruction.k];
        break;
      case BPF_ST:
        machine.memory[instruction.k] = machine.a;
        break;
      case BPF_STX:
        machine.memory[instruction.k] = machine.x;
        break;
      case BPF_MISC | BPF_TAX:
        machine.x = machine.a;
        break;
      case BPF_MISC | BPF_TXA:
        machine.a = machine.x;
        break;
      case BPF_RET | BPF_K:
        return {instruction.k, steps};
      case BPF_RET | BPF_A:
        return {machine.a, steps};
      case BPF_JMP | BPF_JA:
        pc += instruction.k;
        break;
      default:
        if (BPF_CLASS(instruction.code) == BPF_JMP) {
          const bool taken =
              holds(BPF_OP(instruction.code), machine.a, operand(instruction, machine));
          pc += taken ? instruction.jt : instruction.jf;
        } else {
          machine.a = compute(BPF_OP(instruction.code), machine.a, operand(instruction, machine));
        }
    }
  }
}

}  // namespace torno::filter::test
