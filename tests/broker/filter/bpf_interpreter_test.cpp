// The interpreter itself: every instruction once, and what it must refuse.
#include "tests/broker/filter/bpf_interpreter.h"

#include <gtest/gtest.h>

#include <vector>

namespace torno::filter::test {
namespace {

using Program = std::vector<sock_filter>;

constexpr sock_filter statement(int code, std::uint32_t k) {
  return {static_cast<std::uint16_t>(code), 0, 0, k};
}
constexpr sock_filter jump(int code, std::uint32_t k, std::uint8_t jt, std::uint8_t jf) {
  return {static_cast<std::uint16_t>(code), jt, jf, k};
}

std::uint32_t result_of(const Program& program, std::uint64_t argument = 0) {
  EXPECT_EQ(check_program(program), "");
  seccomp_data data{};
  data.nr = 59;
  data.args[0] = argument;
  return run_program(program, data).result;
}

// Computes `operation` on argument 0's low half and `value`.
std::uint32_t computed(int operation, std::uint32_t argument, std::uint32_t value) {
  const std::uint32_t by_constant =
      result_of({statement(BPF_LD | BPF_W | BPF_ABS, 16),
                 statement(BPF_ALU | operation | BPF_K, value), statement(BPF_RET | BPF_A, 0)},
                argument);
  const std::uint32_t by_register =
      result_of({statement(BPF_LDX | BPF_IMM, value), statement(BPF_LD | BPF_W | BPF_ABS, 16),
                 statement(BPF_ALU | operation | BPF_X, 0), statement(BPF_RET | BPF_A, 0)},
                argument);
  EXPECT_EQ(by_constant, by_register);
  return by_constant;
}

TEST(BpfInterpreter, Loads) {
  EXPECT_EQ(result_of({statement(BPF_LD | BPF_W | BPF_ABS, 0), statement(BPF_RET | BPF_A, 0)}),
            59U);
  const Program high = {statement(BPF_LD | BPF_W | BPF_ABS, 20), statement(BPF_RET | BPF_A, 0)};
  EXPECT_EQ(result_of(high, 0x1234'5678'9abc'def0), 0x1234'5678U);
  EXPECT_EQ(result_of({statement(BPF_LD | BPF_W | BPF_LEN, 0), statement(BPF_RET | BPF_A, 0)}),
            sizeof(seccomp_data));
  EXPECT_EQ(result_of({statement(BPF_LDX | BPF_W | BPF_LEN, 0), statement(BPF_MISC | BPF_TXA, 0),
                       statement(BPF_RET | BPF_A, 0)}),
            sizeof(seccomp_data));
  EXPECT_EQ(result_of({statement(BPF_LD | BPF_IMM, 7), statement(BPF_ST, 3),
                       statement(BPF_LDX | BPF_MEM, 3), statement(BPF_STX, 4),
                       statement(BPF_LD | BPF_IMM, 0), statement(BPF_LD | BPF_MEM, 4),
                       statement(BPF_RET | BPF_A, 0)}),
            7U);
  EXPECT_EQ(result_of({statement(BPF_LD | BPF_IMM, 9), statement(BPF_MISC | BPF_TAX, 0),
                       statement(BPF_LD | BPF_IMM, 1), statement(BPF_ALU | BPF_ADD | BPF_X, 0),
                       statement(BPF_RET | BPF_A, 0)}),
            10U);
}

TEST(BpfInterpreter, Arithmetic) {
  EXPECT_EQ(computed(BPF_ADD, 0xffff'ffff, 2), 1U);
  EXPECT_EQ(computed(BPF_SUB, 1, 2), 0xffff'ffffU);
  EXPECT_EQ(computed(BPF_MUL, 7, 6), 42U);
  EXPECT_EQ(computed(BPF_DIV, 42, 5), 8U);
  EXPECT_EQ(computed(BPF_AND, 0xff, 0x0f), 0x0fU);
  EXPECT_EQ(computed(BPF_OR, 0xf0, 0x0f), 0xffU);
  EXPECT_EQ(computed(BPF_XOR, 0xff, 0x0f), 0xf0U);
  EXPECT_EQ(computed(BPF_LSH, 1, 31), 0x8000'0000U);
  EXPECT_EQ(computed(BPF_RSH, 0x8000'0000, 31), 1U);
  EXPECT_EQ(result_of({statement(BPF_LD | BPF_IMM, 1), statement(BPF_ALU | BPF_NEG, 0),
                       statement(BPF_RET | BPF_A, 0)}),
            0xffff'ffffU);
}

TEST(BpfInterpreter, Jumps) {
  const auto taken = [](int operation, std::uint32_t argument, std::uint32_t value) {
    return result_of({statement(BPF_LD | BPF_W | BPF_ABS, 16),
                      jump(BPF_JMP | operation | BPF_K, value, 1, 0), statement(BPF_RET | BPF_K, 0),
                      statement(BPF_RET | BPF_K, 1)},
                     argument) == 1;
  };
  EXPECT_TRUE(taken(BPF_JEQ, 5, 5));
  EXPECT_FALSE(taken(BPF_JEQ, 5, 6));
  EXPECT_TRUE(taken(BPF_JGT, 0x8000'0000, 0x7fff'ffff));
  EXPECT_FALSE(taken(BPF_JGT, 5, 5));
  EXPECT_TRUE(taken(BPF_JGE, 5, 5));
  EXPECT_FALSE(taken(BPF_JGE, 4, 5));
  EXPECT_TRUE(taken(BPF_JSET, 6, 4));
  EXPECT_FALSE(taken(BPF_JSET, 6, 1));
  EXPECT_EQ(result_of({statement(BPF_JMP | BPF_JA, 1), statement(BPF_RET | BPF_K, 0),
                       statement(BPF_RET | BPF_K, 2)}),
            2U);
}

TEST(BpfInterpreter, RefusesWhatTheKernelRefuses) {
  const sock_filter end = statement(BPF_RET | BPF_K, 0);
  const std::vector<Program> bad = {
      {},
      {statement(BPF_LD | BPF_IMM, 0)},                // no return at the end
      {statement(BPF_LD | BPF_W | BPF_ABS, 2), end},   // not aligned
      {statement(BPF_LD | BPF_W | BPF_ABS, 64), end},  // behind seccomp_data
      {statement(BPF_LD | BPF_H | BPF_ABS, 0), end},   // half words
      {statement(BPF_LD | BPF_W | BPF_IND, 0), end},   // packets
      {statement(BPF_LDX | BPF_B | BPF_MSH, 0), end},
      {statement(BPF_LD | BPF_MEM, BPF_MEMWORDS), end},
      {statement(BPF_ALU | BPF_DIV | BPF_K, 0), end},
      {statement(BPF_ALU | BPF_LSH | BPF_K, 32), end},
      {statement(BPF_ALU | BPF_MOD | BPF_K, 2), end},  // socket filters only
      {statement(BPF_RET | BPF_X, 0), end},
      {statement(BPF_JMP | BPF_JA, 1), end},  // out of the program
      {jump(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1), end},
      {statement(0xffff, 0), end},
      Program(BPF_MAXINSNS + 1, end),
  };
  for (std::size_t i = 0; i < bad.size(); ++i) EXPECT_NE(check_program(bad[i]), "") << i;
  EXPECT_EQ(check_program(Program(BPF_MAXINSNS, end)), "");
}

}  // namespace
}  // namespace torno::filter::test
