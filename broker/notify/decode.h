// Decode: a call as text, for people: openat(AT_FDCWD, "/etc/shadow", O_RDONLY|O_CLOEXEC).
#pragma once

#include <string>

namespace torno::notify {

struct Call;
struct Texts;

struct DecodedCall {
  std::string name;       // "openat", or the number in digits
  std::string arguments;  // printable ASCII
};

// Reads the texts that arguments point to from the caller's memory, and decides nothing by them.
DecodedCall decode(const Call& call, Texts& texts);

}  // namespace torno::notify
