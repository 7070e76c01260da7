// The memory functions that compiled code and nanopb call, so that the handler calls nothing of
// libc's: there a first call may go through the dynamic linker and its locks.
//
// nanopb as Debian builds it also names realloc and free, for pointer fields; the wire has none.
#include <cstddef>

extern "C" {

void* memcpy(void* __restrict to, const void* __restrict from, std::size_t size) {
  void* result = to;
  asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
  return result;
}

void* memset(void* to, int value, std::size_t size) {
  void* result = to;
  asm volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(value) : "memory");
  return result;
}

int memcmp(const void* one, const void* other, std::size_t size) {
  const volatile unsigned char* a = static_cast<const volatile unsigned char*>(one);
  const volatile unsigned char* b = static_cast<const volatile unsigned char*>(other);
  for (std::size_t i = 0; i < size; ++i) {
    const int difference = a[i] - b[i];
    if (difference != 0) return difference;
  }
  return 0;
}

void* realloc(void*, std::size_t) {
  __builtin_trap();
}
void free(void*) {
  __builtin_trap();
}

}  // extern "C"
