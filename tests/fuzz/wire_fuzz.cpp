// Hostile bytes through all that they meet before the dispatch table: the decoder and the checks
// of what a request names.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "broker/session/decoder.h"
#include "broker/session/limits.h"
#include "broker/session/policy_name.h"

namespace {

using torno::session::CheckedPlace;
using torno::session::Kind;

void demand(bool condition) {
  if (!condition) std::abort();
}

void check(const torno::wire::Request& request) {
  const CheckedPlace checked = torno::session::check_place(request);
  if (checked.broken == nullptr) {
    const auto& place = checked.place;
    demand(place.path.size() <= torno::session::kMaxPath);
    demand(place.path.find('\0') == std::string_view::npos);
    demand(place.cwd.size() <= torno::session::kMaxPath);
    demand(place.fd == -1);
    using Base = torno::files::Place::Base;
    if (place.base == Base::kCwd) demand(place.cwd.starts_with('/'));
    if (place.base == Base::kAbsolute && checked.error == 0) demand(place.path.starts_with('/'));
  }
  torno::session::check_connect_place(request);
  if (torno::session::is_policy_name(request.path())) {
    demand(request.path().find('/') == std::string::npos && request.path() != "..");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static torno::session::Decoder decoder;
  const torno::wire::ClientMessage* message =
      decoder.decode({reinterpret_cast<const char*>(data), size});
  if (message == nullptr) return 0;
  demand(torno::session::name_of(torno::session::kind_of(*message)) != nullptr);
  if (message->has_request()) check(message->request());
  return 0;
}
