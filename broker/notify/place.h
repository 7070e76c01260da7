// Place: from a descriptor and an address to where the path leads.
#pragma once

#include "broker/notify/call.h"

namespace torno::notify {

// May the path be empty? kLater: no, but the kernel says so only once another path has led
// somewhere.
enum class Empty { kRefused, kAllowed, kLater };

// Fills in `call.place` and `call.fd`. 0, or a negative errno value. `resolve`: openat2's.
long find_place(Call& call, Texts& texts, int directory, std::uint64_t path, Empty empty,
                std::uint64_t resolve = 0);

// The same for `call.second` and `call.second_fd`.
long find_second_place(Call& call, Texts& texts, int directory, std::uint64_t path);

// A descriptor of the program's itself: `call.place` is an empty path at it.
long find_descriptor(Call& call, int number);

// The working directory, for a relative path.
long add_cwd(Call& call, Texts& texts);

}  // namespace torno::notify
