// One attack: attacker NAME ROOT VICTIM MARK PORT; without arguments the names of all. Exits with 0
// where it succeeded.
#define _GNU_SOURCE
#include "attacker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct Targets targets;

const char* at(const char* relative) {
  static char paths[8][4096];
  static unsigned next;
  char* path = paths[next++ % 8];
  snprintf(path, sizeof paths[0], "%s/%s", targets.root, relative);
  return path;
}

enum Got reads_secret(long fd) {
  static const char secret[] = "the secret\n";
  char text[64];
  if (fd < 0) return kRefused;
  if (syscall(SYS_read, fd, text, sizeof text) != (long)strlen(secret)) return kRefused;
  return memcmp(text, secret, strlen(secret)) == 0 ? kGot : kRefused;
}

enum Got done(long result) {
  return result >= 0 ? kGot : kRefused;
}

// Without a name: says them all.
static const struct Attack* find(const char* name) {
  const struct Attack* const tables[] = {file_attacks, hidden_attacks, exec_attacks,
                                         process_attacks, kernel_attacks};
  for (size_t i = 0; i < sizeof tables / sizeof tables[0]; ++i) {
    for (const struct Attack* attack = tables[i]; attack->name != NULL; ++attack) {
      if (name == NULL) printf("%s\n", attack->name);
      if (name != NULL && strcmp(attack->name, name) == 0) return attack;
    }
  }
  return NULL;
}

int main(int argc, char** argv) {
  if (argc == 1) return find(NULL) != NULL;
  if (argc != 6) return 4;
  const struct Attack* attack = find(argv[1]);
  if (attack == NULL) return 4;
  targets = (struct Targets){argv[2], atoi(argv[3]), getppid(), strtoul(argv[4], NULL, 10),
                             atoi(argv[5])};
  errno = 0;
  const enum Got got = attack->run();
  static const int statuses[] = {[kRefused] = 1, [kGot] = 0, [kBroken] = 3};
  printf("%s\n", got == kRefused ? strerrorname_np(errno) : "");
  return statuses[got];
}
