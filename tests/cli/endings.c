// Ends as its first argument says.
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile int one = 1;

__attribute__((noinline)) static void inner_most(int* where) {
  *where = one;  // faults
}

__attribute__((noinline)) static void in_the_middle(int* where) {
  if (one) inner_most(where);
  one = 1;
}

__attribute__((noinline)) static void outer_most(void) {
  in_the_middle(NULL);
  one = 1;
}

static void take(int number) {
  static const char text[] = "taken\n";
  if (write(1, text, sizeof text - 1) < 0) _exit(9);
  _exit(number == SIGSEGV ? 7 : 8);
}

static void* in_a_thread(void* unused) {
  outer_most();
  return unused;
}

__attribute__((noinline)) static int make_folder(const char* path) {
  const int result = mkdir(path, 0700);
  one = 1;
  return result;
}

// One that no kernel of 64 bits alone has: a call of i386.
static void call_i386(void) {
  int result = 20;  // getpid there
  __asm__ volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
  exit(result == -1);
}

static int wait_for(pid_t child) {
  int status = 0;
  waitpid(child, &status, 0);
  printf("signal %d status %d\n", WTERMSIG(status), WEXITSTATUS(status));
  return 0;
}

int main(int count, char** words) {
  const struct rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
  const char* how = count > 1 ? words[1] : "";
  if (strcmp(how, "fault") == 0) outer_most();
  if (strcmp(how, "abort") == 0) abort();
  if (strcmp(how, "i386") == 0) call_i386();
  if (strcmp(how, "mkdir") == 0) return make_folder(words[2]) == 0 ? 0 : 3;
  if (strcmp(how, "unknown") == 0) return syscall(9999, 1, 2, 3, 4, 5, 6) < 0 ? 4 : 5;
  if (strcmp(how, "handler") == 0) {
    signal(SIGSEGV, take);
    outer_most();
  }
  if (strcmp(how, "thread") == 0) {
    pthread_t thread;
    pthread_create(&thread, NULL, in_a_thread, NULL);
    pthread_join(thread, NULL);
  }
  if (strcmp(how, "child") == 0) {
    const pid_t child = fork();
    if (child == 0) outer_most();
    return wait_for(child);
  }
  if (strcmp(how, "child-mkdir") == 0) {
    const pid_t child = fork();
    if (child == 0) _exit(make_folder(words[2]) == 0 ? 0 : 3);
    return wait_for(child);
  }
  if (strcmp(how, "stopped-child") == 0) {
    const pid_t child = fork();
    if (child == 0) {
      raise(SIGSTOP);
      _exit(5);
    }
    int status = 0;
    waitpid(child, &status, WUNTRACED);
    printf("stopped by %d\n", WIFSTOPPED(status) ? WSTOPSIG(status) : -1);
    if (kill(child, SIGCONT) != 0) perror("kill");
    return wait_for(child);
  }
  return 0;
}
