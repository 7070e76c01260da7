// A static program: no loader heeds anything, and none of Torno's code is in the process. Prints
// the files that are named, and what becomes of some calls.
#define _GNU_SOURCE  // setresuid
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int print_file(const char* path) {
  FILE* file = fopen(path, "r");
  if (file == NULL) {
    printf("%s: %s\n", path, strerror(errno));
    return 3;
  }
  char line[256];
  while (fgets(line, sizeof line, file) != NULL) fputs(line, stdout);
  fclose(file);
  return 0;
}

static void tell(const char* what, long result) {
  printf("%s: %s\n", what, result == 0 ? "yes" : strerror(errno));
}

// Of ids that a process has already, it may choose; of others not.
static void choose_ids(void) {
  const uid_t user = getuid();
  const gid_t group = getgid();
  tell("own user", setuid(user));
  tell("own effective user", seteuid(user));
  tell("own users", setreuid(user, user));
  tell("own group", setgid(group));
  tell("own groups", setresgid(group, (gid_t)-1, group));
  tell("nothing", setresuid((uid_t)-1, (uid_t)-1, (uid_t)-1));
}

static void take_other_ids(void) {
  tell("another user", setuid(getuid() + 1));
  tell("another effective user", seteuid(getuid() + 1));
  tell("another group", setresgid(getgid() + 1, getgid() + 1, getgid() + 1));
}

int main(int argc, char** argv) {
  setvbuf(stdout, NULL, _IONBF, 0);
  int status = 0;
  for (int i = 1; i < argc; ++i) {
    if (strcmp(argv[i], "--own-ids") == 0) {
      choose_ids();
    } else if (strcmp(argv[i], "--other-ids") == 0) {
      take_other_ids();
    } else if (strcmp(argv[i], "--fork") == 0) {
      const pid_t child = fork();
      if (child == 0) _exit(9);
      int ended = 0;
      waitpid(child, &ended, 0);
      printf("child: %d\n", WEXITSTATUS(ended));
    } else if (strcmp(argv[i], "--crash") == 0) {
      *(volatile int*)(size_t)getpid() = 0;
    } else {
      status |= print_file(argv[i]);
    }
  }
  return status;
}
