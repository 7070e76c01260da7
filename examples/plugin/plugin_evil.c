/* A plugin that attacks its host's user: arguments are a file to delete and a loopback port to
 * connect to. It starts in a constructor, before the host has called anything. Each attempt says
 * how it went; the result is how many succeeded. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "examples/plugin/plugin.h"

static int report(const char* attempt, int succeeded) {
  if (succeeded) {
    printf("plugin: %s: done\n", attempt);
  } else {
    printf("plugin: %s: %s\n", attempt, strerror(errno));
  }
  fflush(stdout);
  return succeeded;
}

static int read_passwords(void) {
  char secret[64];
  const int fd = open("/etc/shadow", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  const ssize_t got = read(fd, secret, sizeof secret);
  close(fd);
  return got > 0;
}

static int delete_file(const char* path) {
  return unlink(path) == 0;
}

/* Sealed, it ends at socket, since no rule needs one: that is the call the host names. */
static int connect_out(const char* port) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons((unsigned short)strtoul(port, NULL, 10));
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return 0;
  const int result = connect(fd, (const struct sockaddr*)&address, sizeof address);
  const int error = errno;
  close(fd);
  errno = error;
  return result == 0;
}

/* Returns only when it failed. */
static int run_shell(void) {
  execl("/bin/sh", "sh", "-c", "echo 'plugin: this is a shell'; exit 66", (char*)NULL);
  return 0;
}

__attribute__((constructor)) static void loaded(void) {
  report("constructor: read /etc/shadow", read_passwords());
}

int plugin_run(int argc, char** argv) {
  if (argc != 2) return -1;
  int succeeded = 0;
  succeeded += report("delete the file", delete_file(argv[0]));
  succeeded += report("read /etc/shadow", read_passwords());
  succeeded += report("connect out", connect_out(argv[1]));
  succeeded += report("run a shell", run_shell());
  return succeeded;
}
