// Processes whose threads open a file for ever, and are killed while they do: dying_opener FILE N
// kills N of them for each line of input, and says so.
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void* open_for_ever(void* file) {
  for (;;) close(open(file, O_RDONLY));
  return NULL;
}

static void kill_one(char* file) {
  const pid_t child = fork();
  if (child == 0) {
    pthread_t thread;
    for (int i = 0; i < 3; ++i) pthread_create(&thread, NULL, open_for_ever, file);
    open_for_ever(file);
  }
  const struct timespec moment = {0, rand() % 2000000};
  nanosleep(&moment, NULL);
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
}

int main(int argc, char** argv) {
  char line[16];
  if (argc != 3) return 4;
  setvbuf(stdout, NULL, _IONBF, 0);
  while (fgets(line, sizeof line, stdin) != NULL) {
    for (int i = atoi(argv[2]); i > 0; --i) kill_one(argv[1]);
    puts("killed");
  }
  return 0;
}
