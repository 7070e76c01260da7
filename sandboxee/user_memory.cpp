#include "sandboxee/user_memory.h"

#include <cerrno>
#include <cstdint>

#include "sandboxee/limits.h"
#include "sandboxee/signals.h"

namespace torno {
namespace {

using raw::Word;

// rt_sigprocmask reads its set before it looks at `how`: with a `how` that does not exist it
// changes nothing and tells EFAULT from EINVAL.
bool page_is_readable(Word address) {
  constexpr Word kNoSuchHow = 0x7fffffff;
  const Word aligned = address & ~Word{7};
  return raw::call(__NR_rt_sigprocmask, raw::marked(kNoSuchHow), aligned, nullptr,
                   sizeof(KernelMask)) == -EINVAL;
}

// rt_sigpending writes as many bytes as it is told, up to eight, and has no other effect.
bool page_is_writable(Word address, std::size_t size) {
  const std::size_t probe = size < sizeof(KernelMask) ? size : sizeof(KernelMask);
  return raw::call(__NR_rt_sigpending, address, probe) == 0;
}

Word page_end(Word address) {
  return (address | (kPageSize - 1)) + 1;
}

// Calls `probe(address, bytes)` for the part of each page that the range covers.
template <typename Probe>
bool each_page(Word address, std::size_t size, Probe probe) {
  Word end;
  if (__builtin_add_overflow(address, size, &end)) return false;
  while (address < end) {
    const Word next = page_end(address) < end ? page_end(address) : end;
    if (!probe(address, next - address)) return false;
    address = next;
  }
  return true;
}

}  // namespace

bool is_readable(Word address, std::size_t size) {
  return each_page(address, size, [](Word at, std::size_t) { return page_is_readable(at); });
}

bool make_writable(Word address, std::size_t size) {
  return each_page(address, size, page_is_writable);
}

bool copy_in(void* to, Word from, std::size_t size) {
  if (!is_readable(from, size)) return false;
  __builtin_memcpy(to, reinterpret_cast<const void*>(from), size);
  return true;
}

bool copy_out(Word to, const void* from, std::size_t size) {
  if (!make_writable(to, size)) return false;
  __builtin_memcpy(reinterpret_cast<void*>(to), from, size);
  return true;
}

long path_length(Word address) {
  std::size_t length = 0;
  while (length <= kMaxPath) {
    const Word at = address + length;
    if (!page_is_readable(at)) return -EFAULT;
    const volatile char* bytes = reinterpret_cast<const volatile char*>(at);
    const std::size_t in_page = page_end(at) - at;
    for (std::size_t i = 0; i < in_page && length <= kMaxPath; ++i, ++length) {
      if (bytes[i] == '\0') return static_cast<long>(length);
    }
  }
  return -ENAMETOOLONG;
}

}  // namespace torno
