#include <algorithm>
#include <utility>

#include "broker/session/session.h"

namespace torno::session {

// The whole protocol: what is not a row here, or not in its state, on its socket, with its
// descriptors, ends the session.
struct Table {
  static constexpr auto kNew = Session::kNew;
  static constexpr auto kWelcomed = Session::kWelcomed;
  static constexpr auto kSealed = Session::kSealed;
  static constexpr unsigned kBoth = Row::kControl | Row::kChannel;
  using enum Row::Carries;
  using enum Row::Where;

  static const Row* find(Kind kind) {
    // clang-format off
    static const Row kRows[] = {
      {Kind::kHello,      kNew,                kControl, kNothing,     &Session::hello,       nullptr},
      {Kind::kNewChannel, kWelcomed | kSealed, kControl, kNothing,     &Session::new_channel, nullptr},
      {Kind::kSealed,     kWelcomed,           kControl, kNothing,     &Session::sealed,      nullptr},
      {Kind::kOpen,       kSealed,             kBoth,    kByDirectory, &Session::request,     &kOpenCall},
      {Kind::kStat,       kSealed,             kBoth,    kByDirectory, &Session::request,     &kStatCall},
      {Kind::kAccess,     kSealed,             kBoth,    kByDirectory, &Session::request,     &kAccessCall},
      {Kind::kReadlink,   kSealed,             kBoth,    kByDirectory, &Session::request,     &kReadlinkCall},
      {Kind::kConnect,    kSealed,             kControl, kSocket,      &Session::request,     &kConnectCall},
      {Kind::kMkdir,      kSealed,             kBoth,    kByDirectory, &Session::request,     &kMkdirCall},
      {Kind::kMknod,      kSealed,             kBoth,    kByDirectory, &Session::request,     &kMknodCall},
      {Kind::kUnlink,     kSealed,             kBoth,    kByDirectory, &Session::request,     &kUnlinkCall},
      {Kind::kRmdir,      kSealed,             kBoth,    kByDirectory, &Session::request,     &kRmdirCall},
      {Kind::kRename,     kSealed,             kBoth,    kByBoth, &Session::request,     &kRenameCall},
      {Kind::kLink,       kSealed,             kBoth,    kByBoth, &Session::request,     &kLinkCall},
      {Kind::kSymlink,    kSealed,             kBoth,    kByDirectory, &Session::request,     &kSymlinkCall},
      {Kind::kChmod,      kSealed,             kBoth,    kByDirectory, &Session::request,     &kChmodCall},
      {Kind::kChown,      kSealed,             kBoth,    kByDirectory, &Session::request,     &kChownCall},
      {Kind::kUtimensat,  kSealed,             kBoth,    kByDirectory, &Session::request,     &kUtimensatCall},
      {Kind::kTruncate,   kSealed,             kBoth,    kByDirectory, &Session::request,     &kTruncateCall},
      {Kind::kStatfs,     kSealed,             kBoth,    kByDirectory, &Session::request,     &kStatfsCall},
      {Kind::kNarrow,     kSealed,             kChannel, kNothing,     &Session::narrow,      nullptr},
      {Kind::kCancel,     kSealed,             kChannel, kNothing,     &Session::cancel,      nullptr},
    };
    // clang-format on
    const auto* row = std::ranges::find(kRows, kind, &Row::kind);
    return row != std::end(kRows) ? row : nullptr;
  }

  static bool has_fd(wire::Directory directory) {
    return directory == wire::DIRECTORY_FD || directory == wire::DIRECTORY_SELF_FD;
  }

  static std::size_t fds(const Row& row, const Request& request) {
    if (row.carries == kSocket) return 1;
    if (row.carries == kNothing) return 0;
    const std::size_t first = has_fd(request.directory) ? 1 : 0;
    const std::size_t second = row.carries == kByBoth && has_fd(request.second_directory) ? 1 : 0;
    return first + second;
  }
};

Session::Breach Session::dispatch(const LinkPtr& link, Datagram& datagram) {
  Request request;
  const wire::ClientMessage* message = nullptr;
  switch (read_request(datagram.bytes, request)) {
    case Read::kRequest:
      current_ = request.kind;
      break;
    case Read::kBroken:
      return "bytes that are no message";
    case Read::kOther:
      message = workspace_.decoder.decode(datagram.bytes);
      if (message == nullptr) return "bytes that are no message";
      current_ = kind_of(*message);
  }
  const Row* row = Table::find(current_);
  if (row == nullptr) return "a message of no known kind";
  if ((row->states & state_) == 0) return "not permitted in this state";
  if ((row->where & (link->is_control() ? Row::kControl : Row::kChannel)) == 0) {
    return "on the wrong kind of socket";
  }
  const std::size_t fds = Table::fds(*row, request);
  if (datagram.fd_count > fds) return "more descriptors than the message says";
  if (datagram.fd_count < fds && !datagram.fd_lost) return "fewer descriptors than it says";
  if (row->call != nullptr && link->is_control() != (fds > 0)) {
    return "only requests with a descriptor, and all of them, go to the control socket";
  }
  // A second path may have the only one.
  if (row->carries == Row::Carries::kByBoth && !Table::has_fd(request.directory)) {
    std::swap(datagram.fds[0], datagram.fds[1]);
  }
  Incoming incoming{*row,
                    message,
                    request,
                    datagram.bytes,
                    datagram.fds[0],
                    datagram.fds[1],
                    datagram.fd_count < fds,
                    datagram.client};
  return (this->*row->handler)(link, incoming);
}

}  // namespace torno::session
