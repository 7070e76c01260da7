/* torno-count FILE: how many lines, words and bytes the file has. wc(1) does it, sealed. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <torno/spawn.h>
#include <unistd.h>

static int fail(const char* what) {
  fprintf(stderr, "torno-count: error: %s\n", what);
  return 1;
}

int main(int argc, char** argv) {
  if (argc != 2) {
    fputs("usage: torno-count FILE\n", stderr);
    return 2;
  }
  const int file = open(argv[1], O_RDONLY | O_CLOEXEC);
  if (file < 0) return fail(strerror(errno));

  torno_spawn_options* options = torno_spawn_options_new();
  if (options == NULL) return fail(strerror(errno));
  if (torno_spawn_add(options, TORNO_ARGUMENT, "wc") != 0) return fail(strerror(errno));
  torno_spawn_stream(options, 0, TORNO_STREAM_FD, file);
  torno_spawn_limit(options, TORNO_LIMIT_WALL_TIME, 60);
  char error[TORNO_SPAWN_ERROR_SIZE];
  torno_spawned* wc = torno_spawn(options, error, sizeof error);
  torno_spawn_options_free(options);
  close(file);
  if (wc == NULL) return fail(error);

  struct torno_result result = {.size = sizeof result};
  torno_wait(wc, -1, &result);
  const int status = result.exit_code == 0 ? 0 : fail(result.description);
  torno_spawn_free(wc);
  return status;
}
