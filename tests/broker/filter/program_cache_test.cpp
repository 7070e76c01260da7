// Sealed programs: one a policy, shared, unchangeable, gone with the policy.
#include "broker/filter/program_cache.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <thread>
#include <vector>

#include "broker/filter/compiler.h"
#include "broker/filter/landlock.h"
#include "tests/broker/filter/simulate.h"

namespace torno::filter::test {
namespace {

TEST(Memfd, HoldsTheProgramAndIsSealed) {
  const auto program = compile_text("");
  const auto file = to_memfd(program);
  ASSERT_TRUE(file) << file.error().message;
  const std::size_t size = program.size() * sizeof(sock_filter);

  Instructions read_back(program.size());
  ASSERT_EQ(::pread(file->get(), read_back.data(), size + 1, 0), static_cast<ssize_t>(size));
  EXPECT_EQ(std::memcmp(read_back.data(), program.data(), size), 0);
  EXPECT_EQ(::lseek(file->get(), 0, SEEK_CUR), 0);

  EXPECT_EQ(::fcntl(file->get(), F_GET_SEALS),
            F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
  EXPECT_NE(::fcntl(file->get(), F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_EQ(::pwrite(file->get(), "x", 1, 0), -1);
  EXPECT_EQ(::ftruncate(file->get(), 0), -1);
  EXPECT_EQ(::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file->get(), 0), MAP_FAILED);
}

TEST(Memfd, CouldBeChangedWithoutSeals) {
  const Fd file(::memfd_create("control", MFD_CLOEXEC));
  ASSERT_EQ(::pwrite(file.get(), "xy", 2, 0), 2);
  EXPECT_EQ(::pwrite(file.get(), "z", 1, 0), 1);
  EXPECT_EQ(::ftruncate(file.get(), 0), 0);
}

TEST(ProgramCache, CompilesOnceAPolicy) {
  ProgramCache cache;
  const auto first = load_policy("");
  const auto second = load_policy("limit { processes: 1 }");
  const auto a = cache.get(first);
  const auto b = cache.get(first);
  const auto c = cache.get(second);
  ASSERT_TRUE(a && b && c);
  EXPECT_EQ(*a, *b);
  EXPECT_NE(*a, *c);
  EXPECT_EQ(cache.size(), 2U);
  EXPECT_EQ((*a)->instructions, compile_for(*first, landlock_abi())->size());
}

TEST(ProgramCache, ForgetsWithThePolicy) {
  ProgramCache cache;
  auto policy = load_policy("");
  std::weak_ptr<const Sealed> program = *cache.get(policy);
  EXPECT_FALSE(program.expired());
  policy.reset();
  const auto other = load_policy("");
  ASSERT_TRUE(cache.get(other));
  EXPECT_TRUE(program.expired());
  EXPECT_EQ(cache.size(), 1U);
}

TEST(ProgramCache, ReportsErrorsAndHoldsNone) {
  ProgramCache cache;
  const auto policy = load_policy(R"(syscall { name: "ptrace" action: ALLOW })");
  EXPECT_FALSE(cache.get(policy));
  EXPECT_FALSE(cache.get(policy));
  EXPECT_EQ(cache.size(), 0U);
}

TEST(ProgramCache, MayBeAskedFromManyThreads) {
  ProgramCache cache;
  const auto policy = load_policy("");
  std::vector<std::shared_ptr<const Sealed>> programs(8);
  {
    std::vector<std::jthread> threads;
    for (auto& program : programs) {
      threads.emplace_back([&cache, &policy, &program] { program = *cache.get(policy); });
    }
  }
  EXPECT_TRUE(std::ranges::all_of(programs, [&](const auto& p) { return p == programs[0]; }));
}

}  // namespace
}  // namespace torno::filter::test
