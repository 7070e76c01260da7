/* Torno: start a program sealed, from within another program (C).
 *
 *     char error[TORNO_SPAWN_ERROR_SIZE];
 *     struct torno_spawn_options *options = torno_spawn_options_new();
 *     torno_spawn_add(options, TORNO_ARGUMENT, "wc");
 *     torno_spawn_stream(options, 1, TORNO_STREAM_PIPE, -1);
 *     torno_spawned *program = torno_spawn(options, error, sizeof error);
 *     torno_spawn_options_free(options);
 *     if (program == NULL) fail(error);
 *     ... read from torno_spawn_fd(program, 1) ...
 *     struct torno_result result = {.size = sizeof result};
 *     torno_wait(program, -1, &result);
 *     torno_spawn_free(program);
 *
 * Link with -ltorno_sandbox (pkg-config torno-sandbox; CMake Torno::sandbox). Linux 5.19 or later
 * on x86_64. docs/embedding.md tells what the library does in the process that starts a program.
 *
 * Several programs may be started and used at once, by several threads; one torno_spawned or
 * torno_spawn_options by one thread at a time, but for torno_signal and torno_kill, which any
 * thread may call while another one waits. No function is async-signal-safe.
 */
#ifndef TORNO_SPAWN_H
#define TORNO_SPAWN_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* A size for error buffers that holds nearly every message, bytes; a longer one is cut off. */
#define TORNO_SPAWN_ERROR_SIZE 4096

typedef struct torno_spawn_options torno_spawn_options;
typedef struct torno_spawned torno_spawned;

/* Empty options; NULL with errno ENOMEM. torno_spawn copies what it needs: they may be used again,
 * or freed. NULL may be freed. */
torno_spawn_options* torno_spawn_options_new(void);
void torno_spawn_options_free(torno_spawn_options* options);

enum torno_spawn_text {
  TORNO_ARGUMENT = 0,    /* the first is the program, looked for along PATH where it has no '/' */
  TORNO_POLICY = 1,      /* a policy's file (with a '/', or NAME.policy) or its name */
  TORNO_PROFILE = 2,     /* "NO_NETWORK" */
  TORNO_POLICY_TEXT = 3, /* a policy itself, "<policy>" in messages; texts are put together */
  TORNO_READ = 4,        /* a file or folder that may be read */
  TORNO_WRITE = 5,       /* and written */
  TORNO_VARIABLE = 6,    /* "NAME=VALUE": what ${NAME} in a policy means */
  TORNO_ENVIRONMENT =
      7 /* "NAME=VALUE" sets a variable for the program, "NAME" keeps the caller's */
};

/* Adds a text, which is copied. Without any policy the shipped `base` holds. What is wrong with a
 * text torno_spawn says. Returns 0, or -1 with errno EINVAL (`what`, or NULL) or ENOMEM. */
int torno_spawn_add(torno_spawn_options* options, int what, const char* text);

enum torno_spawn_limit {
  TORNO_LIMIT_MEMORY = 0,     /* bytes */
  TORNO_LIMIT_CPU_TIME = 1,   /* seconds */
  TORNO_LIMIT_WALL_TIME = 2,  /* seconds */
  TORNO_LIMIT_PROCESSES = 3,  /* processes and threads at once */
  TORNO_LIMIT_OPEN_FILES = 4, /* 1 to 4032 */
  TORNO_LIMIT_FILE_SIZE = 5   /* bytes */
};

/* A limit beside the policy's: the smaller one holds. Returns 0, or -1 with errno EINVAL. */
int torno_spawn_limit(torno_spawn_options* options, int which, uint64_t value);

enum torno_spawn_stream {
  TORNO_STREAM_INHERIT = 0, /* the caller's own: so unless another is chosen */
  TORNO_STREAM_NULL = 1,    /* /dev/null */
  TORNO_STREAM_PIPE = 2,    /* a pipe, see torno_spawn_fd */
  TORNO_STREAM_FD = 3       /* a duplicate of `fd`, made by torno_spawn */
};

/* What the program has as standard input (0), output (1) or error (2). `fd` counts for
 * TORNO_STREAM_FD alone, stays the caller's, and must be open when torno_spawn is called. Returns
 * 0, or -1 with errno EINVAL. */
int torno_spawn_stream(torno_spawn_options* options, int number, int kind, int fd);

/* Starts the program: when this returns, the walls are up and it is about to be executed. Reads the
 * environment; the working directory and the umask are those of the calling thread.
 *
 * error, error_size: receives what failed, in a line, or one for each thing that is wrong in a
 *   policy ("FILE:LINE:COL: error: TEXT"), ending in NUL; may be NULL with size 0.
 *
 * Returns NULL with errno EINVAL (an option, or the policy), ENOENT (no such program), ENOEXEC (it
 * cannot be executed), EBUSY (the process handles SIGURG itself), ENOMEM, or EIO (all else, as what
 * the kernel refused). */
torno_spawned* torno_spawn(const torno_spawn_options* options, char* error, size_t error_size);

/* The caller's end of a pipe, blocking and closed by an exec, of standard input (0), output (1) or
 * error (2); -1 with errno EBADF where there is none. torno_spawn_free closes it. */
int torno_spawn_fd(const torno_spawned* program, int number);
/* The same; from then on it is the caller's to close. */
int torno_spawn_take_fd(torno_spawned* program, int number);

/* A descriptor to poll for POLLIN: readable when the program, and all it started, has ended. */
int torno_spawn_poll_fd(const torno_spawned* program);

/* The program's process. The library waits for it: do not. */
pid_t torno_spawn_pid(const torno_spawned* program);

enum torno_how {
  TORNO_EXITED = 0,
  TORNO_SIGNALLED = 1,
  TORNO_TIMED_OUT = 2,     /* its wall time was over */
  TORNO_OUT_OF_MEMORY = 3, /* its memory was used up */
  TORNO_REFUSED_CALL = 4,  /* the policy kills for a call */
  TORNO_NOT_STARTED = 5    /* the kernel did not execute it, or Torno itself failed */
};

/* The texts live as long as the torno_spawned. */
struct torno_result {
  size_t size;             /* of this structure as the caller knows it: set it before */
  int how;                 /* enum torno_how */
  int number;              /* the status it exited with, the signal, or exit_code */
  int exit_code;           /* of `torno run`: the status, 128 + the signal, 125, 126 or 127 */
  const char* description; /* "ended by SIGSEGV (segmentation fault)" */
  uint64_t denials;        /* calls that the policy refused */
  const char* walls;       /* that were in force, parted by spaces: "SECCOMP LANDLOCK" */
  const char* limits;      /* what held them, parted by ", ": "memory: cgroup v2" */
};

/* Waits `timeout` milliseconds for the end; -1: without one, 0: not at all. Once it has ended every
 * call says the same. It does not read the pipes: a program whose output nobody reads does not end.
 * `result` may be NULL. Returns 1 when it has ended, 0 when it still runs, or -1 with errno EINVAL
 * (result->size, or a timeout below -1) or ENOMEM. */
int torno_wait(torno_spawned* program, int timeout, struct torno_result* result);

/* Sends the program a signal; nothing happens once it has ended. Returns 0, or -1 with errno EINVAL
 * (no signal's number). */
int torno_signal(torno_spawned* program, int signal);

/* Ends the program and all it started, by SIGKILL; torno_wait says when that is done. */
void torno_kill(torno_spawned* program);

/* Ends everybody who is left, waits for that, and frees everything. NULL may be freed. */
void torno_spawn_free(torno_spawned* program);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
