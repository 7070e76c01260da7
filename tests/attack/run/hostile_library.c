// A library that runs before main, and before other libraries: from an IFUNC resolver, from a
// constructor, and as an auditor of the loader. Nothing of libc's is ready there, so its calls are
// raw. It reads a secret in the working directory and says whether it got it.
#include <fcntl.h>
#include <sys/syscall.h>

static long call(long number, long first, long second, long third) {
  long result = number;
  __asm__ volatile("syscall"
                   : "+a"(result)
                   : "D"(first), "S"(second), "d"(third)
                   : "memory", "rcx", "r11");
  return result;
}

static void say(const char* text) {
  long size = 0;
  while (text[size] != '\0') ++size;
  call(SYS_write, 1, (long)text, size);
}

static void attack(const char* who) {
  char letter = 0;
  const long fd = call(SYS_open, (long)"secret/key", O_RDONLY, 0);
  say(who);
  say(fd >= 0 && call(SYS_read, fd, (long)&letter, 1) == 1 ? " got it\n" : " did not get it\n");
  if (fd >= 0) call(SYS_close, fd, 0, 0);
}

static void nothing(void) {}
static void (*resolve(void))(void) {
  attack("resolver");
  return nothing;
}
void torno_hostile(void) __attribute__((ifunc("resolve")));
void (*torno_hostile_pointer)(void) = torno_hostile;  // resolved when the library is loaded

__attribute__((constructor)) static void construct(void) {
  attack("constructor");
}

unsigned la_version(unsigned version) {
  attack("auditor");
  return version;
}
