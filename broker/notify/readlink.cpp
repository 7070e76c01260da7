// readlink, readlinkat.
#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <span>

#include "broker/notify/place.h"

namespace torno::notify {
namespace {

long read_at(Call& call, Texts& texts, int directory, std::uint64_t path, Empty empty, int size) {
  if (size <= 0) return -EINVAL;
  call.request.size = static_cast<std::uint32_t>(size);
  return find_place(call, texts, directory, path, empty);
}

long give_at(const Call& call, std::uint64_t buffer, const files::Outcome& outcome) {
  const std::size_t length = std::min<std::size_t>(outcome.target.size(), call.request.size);
  const auto text = std::as_bytes(std::span(outcome.target).first(length));
  const int error = call.target.write(buffer, text);
  return error != 0 ? -error : static_cast<long>(length);
}

}  // namespace

long read_readlink(Call& call, Texts& texts) {
  return read_at(call, texts, AT_FDCWD, call.word(0), Empty::kRefused, call.as_int(2));
}

// An empty path means the symlink that the descriptor itself is (O_PATH | O_NOFOLLOW).
long read_readlinkat(Call& call, Texts& texts) {
  const Empty empty = call.as_int(0) == AT_FDCWD ? Empty::kRefused : Empty::kAllowed;
  return read_at(call, texts, call.as_int(0), call.word(1), empty, call.as_int(3));
}

long give_readlink(const Call& call, const files::Outcome& outcome) {
  return give_at(call, call.word(1), outcome);
}

long give_readlinkat(const Call& call, const files::Outcome& outcome) {
  return give_at(call, call.word(2), outcome);
}

}  // namespace torno::notify
