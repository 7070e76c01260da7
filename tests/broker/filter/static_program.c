/* Started statically linked under a filter: glibc's start-up, memory, time and an orderly end. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

int main(void) {
  char* small = malloc(100);
  char* large = malloc(1 << 24);
  struct timespec now;
  if (small == NULL || large == NULL || clock_gettime(CLOCK_MONOTONIC, &now) != 0) return 1;
  memset(large, 1, 1 << 24);
  free(large);
  free(small);
  return 42;
}
