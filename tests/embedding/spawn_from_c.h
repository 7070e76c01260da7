// What a C program does with torno/spawn.h.
#pragma once

#include "broker/include/torno/spawn.h"

#ifdef __cplusplus
extern "C" {
#endif

// Has a program of two pipes say the word; what torno_wait returned, or a negative step's number.
int run_from_c(const char* word, char* output, size_t size, struct torno_result* result,
               char* description, size_t description_size);

#ifdef __cplusplus
}
#endif
