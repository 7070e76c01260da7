// StandInBroker: a broker that breaks its word at a chosen moment. Everything else it does as the
// real one would, with the real filter, but without any policy about paths.
#pragma once

#include <sys/types.h>

#include "broker/base/fd.h"

namespace torno::test {

enum class Fault {
  kNone,
  // In the handshake.
  kMute,  // never answers Hello
  kHangUpOnHello,
  kGarbage,
  kRefuse,         // with a message of several lines
  kRefuseVersion,  // without a message
  kOtherVersion,   // Welcome with a version nobody asked for
  kNoProgram,
  kUnsealedProgram,
  kEmptyProgram,
  kNoFilterAsked,  // Welcome without the seccomp layer
  kNoChannel,      // NewChannel is answered EMFILE
  kHangUpOnChannel,
  // In a call.
  kHangUpOnRequest,
  kHangUpAfterReply,  // the reply lies in the queue when the end of file comes
  kKillOnRequest,     // as kHangUpOnRequest, and the policy says that the process ends
  kGarbageReply,
  kHugeReply,
  kNoFd,  // a successful open without a descriptor
  kTwoFds,
  kFdBesideError,  // a refused open with a descriptor
  kStaleReplies,   // two old replies, with descriptors, before each right one
  kPending,        // says so, and then answers
  kPendingUntilCancel,
  kSlow,  // says pending, and answers after a while
};

class StandInBroker {
 public:
  explicit StandInBroker(Fault fault);
  ~StandInBroker();
  StandInBroker(const StandInBroker&) = delete;
  StandInBroker& operator=(const StandInBroker&) = delete;

  // The sandboxee's end.
  int socket() const { return socket_.get(); }

 private:
  Fd socket_;
  pid_t process_ = -1;
};

}  // namespace torno::test
