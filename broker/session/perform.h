// Perform: the requests that files and network carry out, a Call each: how it is done and how
// its outcome is said on the wire.
#pragma once

#include "broker/files/files.h"
#include "broker/session/decoder.h"
#include "proto/wire.pb.h"

namespace torno::session {

// A checked request, with what the kernel said of it.
struct Asked {
  const Request* request = nullptr;
  files::Place place;
  int fd = -1;          // that came with the message: a directory, a file, or the socket of connect
  files::Place second;  // of rename and link
  int second_fd = -1;
};

struct Call {
  files::Outcome (*perform)(const files::Files&, const policy::PolicyStack&, const Asked&,
                            files::Wait);
  // Fills in what a success answers beside its descriptor; null: nothing.
  void (*answer)(const files::Outcome&, wire::Reply&);
};

extern const Call kOpenCall;
extern const Call kStatCall;
extern const Call kAccessCall;
extern const Call kReadlinkCall;
extern const Call kConnectCall;

// perform_entries.cpp: names that are made, removed, changed.
extern const Call kMkdirCall;
extern const Call kMknodCall;
extern const Call kUnlinkCall;
extern const Call kRmdirCall;
extern const Call kRenameCall;
extern const Call kLinkCall;
extern const Call kSymlinkCall;
extern const Call kChmodCall;
extern const Call kChownCall;
extern const Call kUtimensatCall;
extern const Call kTruncateCall;
extern const Call kStatfsCall;

inline files::Place place_of(const Asked& asked) {
  files::Place place = asked.place;
  place.fd = asked.fd;
  return place;
}
inline files::Place second_place_of(const Asked& asked) {
  files::Place place = asked.second;
  place.fd = asked.second_fd;
  return place;
}

}  // namespace torno::session
