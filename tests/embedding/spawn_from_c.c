/* The C interface, used from C: what each step gave. */
#include "tests/embedding/spawn_from_c.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

int run_from_c(const char* word, char* output, size_t size, struct torno_result* result,
               char* description, size_t description_size) {
  char error[TORNO_SPAWN_ERROR_SIZE];
  torno_spawn_options* options = torno_spawn_options_new();
  if (options == NULL) return -1;
  const char* const arguments[] = {"/bin/sh", "-c", "read word; echo \"$word\"; exit 6"};
  for (size_t i = 0; i < sizeof arguments / sizeof *arguments; ++i) {
    if (torno_spawn_add(options, TORNO_ARGUMENT, arguments[i]) != 0) return -2;
  }
  torno_spawn_limit(options, TORNO_LIMIT_WALL_TIME, 600);
  torno_spawn_stream(options, 0, TORNO_STREAM_PIPE, -1);
  torno_spawn_stream(options, 1, TORNO_STREAM_PIPE, -1);
  torno_spawned* program = torno_spawn(options, error, sizeof error);
  torno_spawn_options_free(options);
  if (program == NULL) return -3;
  if (torno_spawn_fd(program, 2) != -1 || errno != EBADF) return -4;
  if (torno_spawn_pid(program) <= 0 || torno_spawn_poll_fd(program) < 0) return -5;
  if (torno_wait(program, 0, result) != 0) return -6;
  const int input = torno_spawn_take_fd(program, 0);
  if (write(input, word, strlen(word)) < 0) return -7;
  close(input);
  ssize_t got = 0;
  size_t length = 0;
  while (length + 1 < size &&
         (got = read(torno_spawn_fd(program, 1), output + length, size - 1 - length)) > 0) {
    length += (size_t)got;
  }
  output[length] = '\0';
  const int ended = torno_wait(program, -1, result);
  strncpy(description, result->description, description_size - 1);
  description[description_size - 1] = '\0';
  if (torno_wait(program, -1, NULL) != 1) return -8;
  torno_spawn_free(program);
  return ended;
}
