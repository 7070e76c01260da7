// waiting_openers FIFO N FOLDER: N threads wait for the FIFO's other end, and then the first one
// changes its directory.
#define _GNU_SOURCE  // O_PATH
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static atomic_int refused;

static void* wait_for(void* fifo) {
  if (open(fifo, O_RDONLY) < 0) atomic_fetch_add(&refused, 1);
  return NULL;
}

int main(int argc, char** argv) {
  if (argc != 4) return 4;
  pthread_t thread;
  const int count = atoi(argv[2]);
  for (int i = 0; i < count; ++i) {
    if (pthread_create(&thread, NULL, wait_for, argv[1]) != 0) return 5;
  }
  // From here on there is no room for a further one: those beyond it have been refused.
  while (atomic_load(&refused) == 0) sched_yield();
  const int first = chdir(argv[3]) == 0;
  const int second = open(argv[3], O_PATH) >= 0;
  printf("chdir: %s, O_PATH: %s\n", first ? "yes" : "no", second ? "yes" : "no");
  fflush(stdout);
  _exit(0);
}
