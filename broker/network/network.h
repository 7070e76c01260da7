// Network: vets and performs connect on the client's own socket.
#pragma once

#include <string_view>

#include "broker/files/files.h"
#include "broker/policy/policy.h"

namespace torno::network {

struct ConnectRequest {
  int socket = -1;           // the client's, borrowed
  std::string_view address;  // struct sockaddr as the client gave it, any length
  files::Place place;        // client and base for a relative unix path; its path is not used
};

struct ConnectOutcome {
  int error = 0;             // 0 or an errno value; EINPROGRESS: started, the client waits
  bool would_block = false;  // resolving the unix path may block: again with Wait::kMayBlock
  std::optional<files::Denial> denial;  // path: "127.0.0.1:80", "[::1]:80", "unix:/run/x.sock"
};

// Starts the connection without ever blocking on it: the socket is non-blocking while connect(2)
// runs, and as it was afterwards. A unix socket whose backlog is full gives EAGAIN.
ConnectOutcome connect(const files::Files& files, const policy::PolicyStack& policy,
                       const ConnectRequest& request, files::Wait wait);

}  // namespace torno::network
