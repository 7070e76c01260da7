/* Torno: confine the calling process, and have its opens, stats and connects done by a broker
 * under a policy.
 *
 *     char error[TORNO_ERROR_SIZE];
 *     if (torno_enter("png", 0, error, sizeof error) != 0) {
 *       fprintf(stderr, "%s\n", error);
 *       exit(1);                                   // never go on unconfined
 *     }
 *     FILE *image = fopen(untrusted_path, "rb");   // asked of the broker
 *
 * Link with -ltorno (pkg-config torno; CMake Torno::torno). Needs libc alone. Linux 5.13 or
 * later on x86_64. Not for set-user-ID programs: those have everything refused.
 */
#ifndef TORNO_TORNO_H
#define TORNO_TORNO_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* A size for error buffers that holds every message of the library, bytes. */
#define TORNO_ERROR_SIZE 512

/* Flags of torno_enter. */
#define TORNO_NO_EMBEDDED 1u /* never start a tornod of one's own: a broker must be running */

/* Confines the calling process from now on and for good (its later children too).
 *
 * policy: name of a policy or profile ("png", "NO_NETWORK"); with a broker of one's own also a
 *   path to a policy file. flags: 0 or TORNO_NO_EMBEDDED; unknown bits are EINVAL.
 * error, error_size: receives one line that says what failed and what to do next; may be NULL
 *   with size 0. The line always ends in NUL and holds no newline.
 *
 * The broker is the first of: the connected SOCK_SEQPACKET socket whose number is in TORNO_FD,
 * the socket at the path in TORNO_BROKER, /run/torno/broker.sock, else `tornod --fd` started for
 * this process alone: the one TORNO_TORNOD names, else the one beside the program, else the
 * installed one. One that is named but does not answer is an error: nothing else is tried.
 *
 * Inside a sandbox it may be called again, also with threads: the policies stack, at most 16, and
 * an access needs all of them. A path then names a file that the policies in force let be read.
 *
 * Returns 0, or -1 with errno: EINVAL (an argument), EBUSY (more than one thread: call it before
 * starting any), ENOENT (no broker found), ECONNREFUSED (the broker refused; error says why),
 * EPROTO (no wire version in common, or not a broker), ENOSYS (this kernel lacks something
 * required), EMFILE (the hard RLIMIT_NOFILE is below 4096, or one of the descriptors 4032 to 4095
 * is in use), EIO (the broker went away or does not answer), or what a failed system call left.
 * Inside a sandbox also ENOENT (no such policy), EINVAL (it does not load), EACCES (its file may
 * not be read) and E2BIG (16 policies are in force already); the broker ends a session, EIO from
 * then on, that has named 16 policies which were missing, unreadable or wrong, and names another.
 * A failure before the filter is loaded leaves the process unconfined, but RLIMIT_NOFILE,
 * no_new_privs, Landlock, or MDWE may already be in force: do not go on, exit. A failure after
 * the filter is loaded ends the process with a message on standard error.
 *
 * SIGSYS is the library's from then on; what the program does with its mask and action only seems
 * to happen. A handler runs on the alternate signal stack where there is one, and takes about
 * 5 KiB of it, with AMX 13.
 *
 * Not thread-safe; not async-signal-safe. After it returns 0 the brokered calls themselves are
 * safe in any thread, in signal handlers, and in children of fork and vfork.
 */
int torno_enter(const char* policy, unsigned flags, char* error, size_t error_size);

/* "NAME=VALUE" for ${NAME} in policies, before torno_enter. A shared broker refuses them. The
 * string is copied. Returns 0, or -1 with errno EINVAL (no '=' or a name that is not
 * [A-Z][A-Z0-9_]*), ENOSPC (more than 16, or longer than 512 bytes), EBUSY (already confined).
 * Not thread-safe. */
int torno_set(const char* assignment);

/* A system call that was refused. */
struct torno_trap {
  size_t size;      /* of this structure, for later additions */
  int nr;           /* number of the call on this architecture */
  const char* name; /* "openat"; "unknown" for a number the library does not know */
  uint64_t args[6]; /* as the program gave them */
  int error;        /* the errno value it gets: EACCES, EPERM, … */
};

/* Has `callback` told of every call that the broker or the filter refused by trapping
 * (a missing file is no refusal). It runs in the SIGSYS handler, on the refused thread's stack
 * with almost all signals blocked: it must be async-signal-safe and short, and return (no
 * longjmp). Calls it makes itself may trap again; those are not reported. NULL ends it. Calls that
 * the filter answers with an errno of its own never reach it; docs/syscalls.md names them. May be
 * called at any time, from any thread. */
typedef void (*torno_trap_callback)(const struct torno_trap* trap, void* user);
void torno_on_trap(torno_trap_callback callback, void* user);

/* 1 when this process is confined by torno_enter, else 0. A convenience for the program itself:
 * what an attacker inside the process says of it proves nothing. Async-signal-safe. */
int torno_is_confined(void);

/* "0.1.0 (wire 1)". A constant. */
const char* torno_version(void);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
