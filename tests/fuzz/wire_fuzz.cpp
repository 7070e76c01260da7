// Hostile bytes through all that reads them: the decoder, the checks of what a request names, and
// the socket address inside a connect.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "broker/network/address.h"
#include "broker/session/decoder.h"
#include "broker/session/limits.h"
#include "broker/session/policy_name.h"

namespace {

using torno::session::CheckedPlace;
using torno::session::Kind;

void demand(bool condition) {
  if (!condition) std::abort();
}

// The sockaddr for the kernel is the endpoint that the policy decides about.
void check_address(int domain, std::string_view bytes) {
  using Kind = torno::policy::Endpoint::Kind;
  const auto address = torno::network::read_address(domain, bytes);
  if (!address) {
    demand(address.error() > 0);
    return;
  }
  const auto& endpoint = address->endpoint;
  torno::network::to_text(endpoint);
  if (address->is_path()) {
    demand(domain == AF_UNIX && address->size == 0 && !endpoint.name.empty());
    demand(endpoint.name.find('\0') == std::string_view::npos);
    return;
  }
  demand(address->socket_address.ss_family == domain);
  demand(address->size > 0 && address->size <= sizeof address->socket_address);
  if (domain == AF_INET) {
    sockaddr_in made{};
    std::memcpy(&made, &address->socket_address, sizeof made);
    demand(endpoint.kind == Kind::kIpv4 && ntohs(made.sin_port) == endpoint.port);
    demand(std::memcmp(&made.sin_addr, endpoint.address.data(), sizeof made.sin_addr) == 0);
    demand(made.sin_addr.s_addr != htonl(INADDR_ANY));
  } else if (domain == AF_INET6) {
    sockaddr_in6 made{};
    std::memcpy(&made, &address->socket_address, sizeof made);
    const bool mapped = IN6_IS_ADDR_V4MAPPED(&made.sin6_addr);
    demand(endpoint.kind == (mapped ? Kind::kIpv4 : Kind::kIpv6));
    demand(ntohs(made.sin6_port) == endpoint.port && !IN6_IS_ADDR_UNSPECIFIED(&made.sin6_addr));
    const std::size_t skipped = mapped ? 12 : 0;
    demand(std::memcmp(made.sin6_addr.s6_addr + skipped, endpoint.address.data(),
                       sizeof made.sin6_addr - skipped) == 0);
  } else {
    demand(endpoint.kind == Kind::kUnixAbstract && address->size == bytes.size());
  }
}

void check_names(const torno::wire::Hello& hello) {
  const std::string_view policy = hello.policy();
  if (torno::session::is_policy_name(policy)) {
    demand(policy.find('/') == std::string_view::npos && policy != "." && policy != "..");
  }
  if (torno::session::is_policy_path(policy)) {
    demand(policy.find('\0') == std::string_view::npos);
  }
  for (const std::string_view variable : hello.variables()) {
    if (torno::session::is_variable(variable)) demand(variable.find('$') == variable.npos);
  }
}

void check_place(const CheckedPlace& checked) {
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
}

void check(const torno::session::Request& request) {
  check_place(torno::session::check_place(request));
  check_place(torno::session::check_second_place(request));
  const CheckedPlace base = torno::session::check_connect_place(request);
  if (base.broken == nullptr && base.place.base == torno::files::Place::Base::kCwd) {
    demand(base.place.cwd.starts_with('/'));
  }
  for (const int domain : {AF_INET, AF_INET6, AF_UNIX}) check_address(domain, request.path);
  torno::network::is_disconnect(AF_INET, request.path);
}

Kind kind_of(const torno::wire::Request& request) {
  using torno::wire::Request;
  switch (request.call_case()) {
    case Request::kOpen:
      return Kind::kOpen;
    case Request::kStat:
      return Kind::kStat;
    case Request::kAccess:
      return Kind::kAccess;
    case Request::kReadlink:
      return Kind::kReadlink;
    case Request::kConnect:
      return Kind::kConnect;
    case Request::kNarrow:
      return Kind::kNarrow;
    case Request::kMkdir:
      return Kind::kMkdir;
    case Request::kMknod:
      return Kind::kMknod;
    case Request::kUnlink:
      return Kind::kUnlink;
    case Request::kRmdir:
      return Kind::kRmdir;
    case Request::kRename:
      return Kind::kRename;
    case Request::kLink:
      return Kind::kLink;
    case Request::kSymlink:
      return Kind::kSymlink;
    case Request::kChmod:
      return Kind::kChmod;
    case Request::kChown:
      return Kind::kChown;
    case Request::kUtimensat:
      return Kind::kUtimensat;
    case Request::kTruncate:
      return Kind::kTruncate;
    case Request::kStatfs:
      return Kind::kStatfs;
    case Request::CALL_NOT_SET:
      break;
  }
  return Kind::kUnknown;
}

// What is read in place is what libprotobuf reads.
void compare(const torno::session::Request& read, std::string_view bytes) {
  torno::wire::ClientMessage message;
  demand(message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
  demand(message.has_request());
  const torno::wire::Request& request = message.request();
  demand(read.kind == kind_of(request));
  demand(read.sequence == request.sequence() && read.channel == request.channel());
  demand(read.directory == request.directory());
  demand(read.cwd == request.cwd() && read.path == request.path());
  demand(read.second_directory == request.second_directory());
  demand(read.second_path == request.second_path());
  // Of the calls that the request is not libprotobuf shows empty ones.
  demand(read.flags ==
         (request.open().flags() | request.stat().flags() | request.access().flags() |
          request.unlink().flags() | request.rename().flags() | request.link().flags() |
          request.chmod().flags() | request.chown().flags() | request.utimensat().flags()));
  demand(read.mode == (request.open().mode() | request.access().mode() | request.mkdir().mode() |
                       request.mknod().mode() | request.chmod().mode()));
  demand(read.resolve == request.open().resolve());
  demand(read.mask == request.stat().mask());
  demand(read.size == (request.readlink().size() | request.truncate().size()));
  demand(read.user == request.chown().user() && read.group == request.chown().group());
  const auto& times = request.utimensat();
  demand(read.times[0].tv_sec == times.atime_sec() && read.times[0].tv_nsec == times.atime_nsec());
  demand(read.times[1].tv_sec == times.mtime_sec() && read.times[1].tv_nsec == times.mtime_nsec());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  torno::session::Request request;
  switch (torno::session::read_request(bytes, request)) {
    case torno::session::Read::kRequest:
      compare(request, bytes);
      check(request);
      return 0;
    case torno::session::Read::kBroken:
      return 0;
    case torno::session::Read::kOther:
      break;
  }
  static torno::session::Decoder decoder;
  const torno::wire::ClientMessage* message = decoder.decode(bytes);
  if (message == nullptr) return 0;
  demand(torno::session::name_of(torno::session::kind_of(*message)) != nullptr);
  if (message->has_hello()) check_names(message->hello());
  return 0;
}
