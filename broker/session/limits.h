// Limits: what one session may hold of the broker. Past a limit the session gets an error or
// ends; the broker and the other sessions go on.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "proto/wire.pb.h"

namespace torno::session {

// One datagram of the wire, and one path within it.
inline constexpr std::size_t kMaxMessage = wire::MAX_MESSAGE;
inline constexpr std::size_t kMaxPath = wire::MAX_PATH;

// A name of a policy; longer ones are no file names anybody chose.
inline constexpr std::size_t kMaxPolicyName = 128;

// Variables of one Hello: as many and as long as torno_set takes.
inline constexpr int kMaxVariables = 16;
inline constexpr std::size_t kMaxVariable = 512;

// Policies in force at once: as many as the kernel stacks Landlock rulesets.
inline constexpr std::size_t kMaxStackedPolicies = 16;

// Narrows of one session that fail: a program that has so many wrong names for policies means
// something else by them.
inline constexpr int kMaxNarrowFailures = 16;

// A policy file that a sealed sandboxee names is read into memory up to here.
inline constexpr std::size_t kMaxPolicyText = 1 << 20;

// Channels: one a thread that is inside a request. Each costs the broker one descriptor.
inline constexpr std::size_t kMaxChannels = 1024;

// Sessions at once, all together. Each takes a control socket, a channel or more, and some
// kilobytes.
inline constexpr std::size_t kMaxSessions = 4096;

// Sessions of one peer process: a parent that enters for its children needs some, and one alone
// must not use up all.
inline constexpr std::size_t kMaxPeerSessions = 256;

// Requests that wait for something slow, each on a thread of the pool: a worker that opens a
// thousand FIFOs nobody writes to must leave threads for the others. Past it: ENFILE.
inline constexpr std::size_t kMaxSlowRequests = 64;

// The same of one peer process, over all its sessions.
inline constexpr std::size_t kMaxPeerSlowRequests = 2 * kMaxSlowRequests;

// Threads of the slow pool: so many for whoever comes; beyond them a peer has only its reserve, so
// that one whose requests end goes on while others wait for ever; and so many in all, since each
// costs a stack of some pages. More than 192 peers must hold their reserve for ever before another
// one has to wait.
inline constexpr std::size_t kSharedSlowThreads = 256;
inline constexpr std::size_t kReservedSlowThreads = 4;
inline constexpr std::size_t kMaxSlowThreads = 1024;

// A connect returns at once but for resolving a unix path. A client that makes its socket block
// again at the very moment of the connect would hold the thread for minutes; it gets EINTR.
inline constexpr std::chrono::seconds kMaxConnectTime{5};

// Messages of one session between two waits of its io thread: with a thousand channels it would
// else be served a thousand times before another session is.
inline constexpr int kMaxMessagesATurn = 4;

// Messages of the control socket that are looked at before a channel's, for Sealed may be among
// them. A peer could keep that socket full for ever.
inline constexpr int kMaxEarlyMessages = 8;

// Descriptors sent on one channel that the sandboxee has not received yet. The kernel counts them
// against the broker's user (RLIMIT_NOFILE), so a session that never receives would starve all
// others. An honest one has received the last answer before it asks again.
inline constexpr std::uint32_t kMaxUnreadFds = 8;

// The same of all channels of a session together, where an honest one has at most one each. Past it
// every socket is looked at, and half is too many: a look at all of them is not needed for each
// request.
inline constexpr std::uint32_t kMaxSessionUnreadFds = 2 * kMaxChannels;

// From so many on the socket is asked whether they are still unread: a system call that most
// requests are spared.
inline constexpr std::uint32_t kLookForUnreadFds = 4;

// Descriptors of one session that wait to be closed (closer.h): all its channels at once and as
// many more are no attack.
inline constexpr std::size_t kMaxUnclosed = 2 * kMaxChannels;

// Messages that wait for room on one socket. Room is scarce where net.unix.max_dgram_qlen is
// 10, and threads that grow the pool at once share the control socket: one answer each.
inline constexpr std::size_t kMaxQueuedMessages = kMaxChannels;

// From the connection to Sealed: entering takes milliseconds, a debugger or a loaded machine
// takes longer; who never gets there must not hold a session.
inline constexpr std::chrono::seconds kHandshakeTimeout{30};

// Welcome.policy, bytes: what the sandboxee's static buffer takes (proto/wire.options).
inline constexpr std::size_t kMaxShownPolicy = 255;

// Refused.message and Reply.message, bytes.
inline constexpr std::size_t kMaxRefusal = 480;

}  // namespace torno::session
