/* A plugin that behaves: the CRC-32 of each argument. */
#include <stdint.h>
#include <stdio.h>

#include "examples/plugin/plugin.h"

static uint32_t crc32_of(const char* text) {
  uint32_t crc = 0xffffffffu;
  for (; *text != '\0'; ++text) {
    crc ^= (unsigned char)*text;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1u) != 0 ? 0xedb88320u : 0u);
  }
  return ~crc;
}

int plugin_run(int argc, char** argv) {
  for (int i = 0; i < argc; ++i) printf("plugin: %08x %s\n", (unsigned)crc32_of(argv[i]), argv[i]);
  fflush(stdout);
  return argc;
}
