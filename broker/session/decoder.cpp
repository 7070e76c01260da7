#include "broker/session/decoder.h"

#include <cerrno>
#include <span>

#include "broker/session/limits.h"

namespace torno::session {
namespace {

google::protobuf::ArenaOptions first_block(std::span<char> block) {
  google::protobuf::ArenaOptions options;
  options.initial_block = block.data();
  options.initial_block_size = block.size();
  return options;
}

CheckedPlace broken(const char* how) {
  CheckedPlace checked;
  checked.broken = how;
  return checked;
}

// The directory a relative path starts at; `path` of the result is not set.
CheckedPlace check_base(const Request& request, wire::Directory directory) {
  CheckedPlace checked;
  switch (directory) {
    case wire::DIRECTORY_NONE:
      checked.place.base = files::Place::Base::kAbsolute;
      break;
    case wire::DIRECTORY_CWD:
      checked.place.base = files::Place::Base::kCwd;
      checked.place.cwd = request.cwd;
      if (request.cwd.size() > kMaxPath) return broken("a working directory that is too long");
      if (request.cwd.find('\0') != std::string::npos) {
        return broken("a working directory with a NUL");
      }
      if (!request.cwd.starts_with('/')) return broken("a working directory without a root");
      break;
    case wire::DIRECTORY_FD:
      checked.place.base = files::Place::Base::kFd;
      break;
    case wire::DIRECTORY_SELF_FD:
      checked.place.base = files::Place::Base::kSelfFd;
      break;
    default:
      return broken("an unknown kind of directory");
  }
  return checked;
}

}  // namespace

Kind kind_of(const wire::ClientMessage& message) {
  switch (message.kind_case()) {
    case wire::ClientMessage::kHello:
      return Kind::kHello;
    case wire::ClientMessage::kSealed:
      return Kind::kSealed;
    case wire::ClientMessage::kNewChannel:
      return Kind::kNewChannel;
    case wire::ClientMessage::kCancel:
      return Kind::kCancel;
    case wire::ClientMessage::kRequest:
    case wire::ClientMessage::KIND_NOT_SET:
      break;
  }
  return Kind::kUnknown;
}

const char* name_of(Kind kind) {
  switch (kind) {
    case Kind::kHello:
      return "hello";
    case Kind::kNewChannel:
      return "new channel";
    case Kind::kSealed:
      return "sealed";
    case Kind::kOpen:
      return "openat";
    case Kind::kStat:
      return "stat";
    case Kind::kAccess:
      return "access";
    case Kind::kReadlink:
      return "readlink";
    case Kind::kConnect:
      return "connect";
    case Kind::kMkdir:
      return "mkdir";
    case Kind::kMknod:
      return "mknod";
    case Kind::kUnlink:
      return "unlink";
    case Kind::kRmdir:
      return "rmdir";
    case Kind::kRename:
      return "rename";
    case Kind::kLink:
      return "link";
    case Kind::kSymlink:
      return "symlink";
    case Kind::kChmod:
      return "chmod";
    case Kind::kChown:
      return "chown";
    case Kind::kUtimensat:
      return "utimensat";
    case Kind::kTruncate:
      return "truncate";
    case Kind::kStatfs:
      return "statfs";
    case Kind::kChdir:
      return "chdir";
    case Kind::kExecve:
      return "execve";
    case Kind::kNarrow:
      return "narrow";
    case Kind::kCancel:
      return "cancel";
    case Kind::kUnknown:
      break;
  }
  return "unknown";
}

Decoder::Memory::Memory() : arena_(first_block(block_)) {}

template <typename Message>
Message* Decoder::Memory::make() {
  if (++messages_ == kMessagesBetween) {
    arena_.Reset();
    messages_ = 0;
  }
  return google::protobuf::Arena::CreateMessage<Message>(&arena_);
}

const wire::ClientMessage* Decoder::decode(std::string_view bytes) {
  auto* message = received_.make<wire::ClientMessage>();
  if (!message->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return nullptr;
  return message;
}

wire::BrokerMessage& Decoder::new_answer() {
  return *answers_.make<wire::BrokerMessage>();
}

namespace {

CheckedPlace check(const Request& request, wire::Directory directory, std::string_view sent) {
  CheckedPlace checked = check_base(request, directory);
  if (checked.broken != nullptr) return checked;

  const std::string_view path = sent.substr(0, sent.find('\0'));
  if (path.size() > kMaxPath) return broken("a path that is too long");
  checked.place.path = path;

  // Which kind a path is may have changed after the client looked at its first byte: another
  // thread writes to the memory it is sent from. What arrived counts.
  if (checked.place.base != files::Place::Base::kSelfFd && path.starts_with('/')) {
    checked.place.base = files::Place::Base::kAbsolute;
    checked.place.cwd = {};
  } else if (checked.place.base == files::Place::Base::kAbsolute) {
    checked.error = ENOENT;
  }
  return checked;
}

}  // namespace

CheckedPlace check_place(const Request& request) {
  return check(request, request.directory, request.path);
}

CheckedPlace check_second_place(const Request& request) {
  return check(request, request.second_directory, request.second_path);
}

CheckedPlace check_connect_place(const Request& request) {
  if (request.directory != wire::DIRECTORY_NONE && request.directory != wire::DIRECTORY_CWD) {
    return broken("connect at a directory descriptor");
  }
  return check_base(request, request.directory);
}

}  // namespace torno::session
