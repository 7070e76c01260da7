// decide() allocates nothing: every operator new of this program is counted. A program of its
// own, since it replaces the allocator.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "broker/policy/network.h"
#include "broker/policy/policy.h"
#include "tests/broker/policy/policy_fixture.h"

namespace {
std::atomic<int> allocations{0};

void* counted(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size == 0 ? 1 : size); memory != nullptr) return memory;
  throw std::bad_alloc();
}

// g++ at -O1 takes free, where it is inlined, for a mismatch to operator new.
[[gnu::noinline]] void release(void* memory) {
  std::free(memory);
}
}  // namespace

void* operator new(std::size_t size) {
  return counted(size);
}
void* operator new[](std::size_t size) {
  return counted(size);
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(size == 0 ? 1 : size);
}
void operator delete(void* memory) noexcept {
  release(memory);
}
void operator delete[](void* memory) noexcept {
  release(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  release(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  release(memory);
}

namespace torno::policy {
namespace {

TEST(DecidePure, AllocatesNothing) {
  std::string text = R"(
    file { path: "/**/deep/**/*.h" allow: READ }
    file { path: "/a/**" deny: WRITE }
    connect { address: "10.0.0.0/8" }
    connect { unix: "/run/**" }
    connect { abstract: "torno-*" })";
  for (int i = 0; i < 1000; ++i) {
    text += "file { path: \"/data/user" + std::to_string(i) + "*/x\" allow: READ }\n";
  }
  const Loaded loaded = load_text(text, "t.policy", {});
  ASSERT_NE(loaded.policy, nullptr);
  const PolicyStack stack{loaded.policy};
  const std::string paths[] = {"/",        "/data/user12/x", "/a/deep/b/c/d.h",
                               "/missing", "not a path",     "/" + std::string(4000, 'x')};
  const auto ip = parse_endpoint("10.1.2.3:80");
  const auto unix_path = parse_endpoint("unix:/run/x.sock");
  const auto abstract = parse_endpoint("unix:@torno-1");

  const int positive_control = allocations;
  ::operator delete(::operator new(1));  // a new-expression may be optimised away
  ASSERT_EQ(allocations, positive_control + 1) << "the counter does not count";

  const int before = allocations;
  int allowed = 0;
  for (const std::string& path : paths) {
    allowed += stack.decide_file(path, kRead).allowed ? 1 : 0;
    allowed += stack.decide_file(path, kRead | kWrite).allowed ? 1 : 0;
  }
  for (const auto* endpoint : {&*ip, &*unix_path, &*abstract}) {
    allowed += stack.decide_connect(endpoint->endpoint()).allowed ? 1 : 0;
  }
  EXPECT_EQ(allocations, before);
  EXPECT_EQ(allowed, 5);
}

}  // namespace
}  // namespace torno::policy
