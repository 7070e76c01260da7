// A classic BPF interpreter for seccomp filters: what a program says of a call, without loading
// it. It takes the instructions that the kernel takes in a filter, and nothing else.
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <cstdint>
#include <span>
#include <string>

namespace torno::filter::test {

// Empty when the kernel would load the program, else what is wrong with it.
std::string check_program(std::span<const sock_filter> program);

struct Run {
  std::uint32_t result = 0;  // SECCOMP_RET_*, with its data
  std::size_t steps = 0;     // instructions executed
};

// A program that check_program accepts always ends.
Run run_program(std::span<const sock_filter> program, const seccomp_data& data);

}  // namespace torno::filter::test
