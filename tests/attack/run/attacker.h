// The attacks of a program that a test runs free and under `torno run`, by raw system calls.
#pragma once

#include <stddef.h>

enum Got {
  kRefused = 0,  // errno says how
  kGot = 1,
  kBroken = 2,  // the attack could not be tried
};

struct Targets {
  const char* root;    // the test's folder
  int victim;          // a process of the same user, outside
  int parent;          // of the attacker: the test, or init
  unsigned long mark;  // where both have a mark in their memory
  int port;            // a TCP and an UDP socket that wait on 127.0.0.1
};
extern struct Targets targets;

struct Attack {
  const char* name;
  enum Got (*run)(void);
};

// Each table ends with a row without a name.
extern const struct Attack file_attacks[];
extern const struct Attack hidden_attacks[];
extern const struct Attack exec_attacks[];
extern const struct Attack process_attacks[];
extern const struct Attack kernel_attacks[];

// A path in the test's folder; up to eight of them at once.
const char* at(const char* relative);
// Does the descriptor read as the secret?
enum Got reads_secret(long fd);
// Was the call done?
enum Got done(long result);
