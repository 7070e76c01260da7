#include "broker/filter/allow_lists.h"

#include <asm/ioctls.h>
#include <asm/prctl.h>
#include <asm/socket.h>
#include <fcntl.h>
#include <linux/prctl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace torno::filter {

const std::uint32_t kSocketFlags = SOCK_NONBLOCK | SOCK_CLOEXEC;
const std::uint32_t kUnixDomain = AF_UNIX;

// Not here: F_SETOWN, F_SETOWN_EX, F_SETSIG (signals to others), F_SETLEASE (holds up other
// programs' opens), F_NOTIFY.
std::span<const std::uint32_t> fcntl_commands() {
  static constexpr std::uint32_t kCommands[] = {
      F_DUPFD,      F_DUPFD_CLOEXEC, F_GETFD,      F_SETFD,     F_GETFL,
      F_GETLK,      F_SETLK,         F_SETLKW,     F_OFD_GETLK, F_OFD_SETLK,
      F_OFD_SETLKW, F_GETPIPE_SZ,    F_SETPIPE_SZ, F_ADD_SEALS, F_GET_SEALS,
  };
  return kCommands;
}

// Not here: TIOCSTI (types into the terminal), FS_IOC_SETFLAGS and FICLONE (write through a
// read-only descriptor), everything of devices.
std::span<const std::uint32_t> ioctl_commands() {
  static constexpr std::uint32_t kCommands[] = {
      TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIOCLEX, FIONCLEX,
  };
  return kCommands;
}

// Not here: PR_SET_DUMPABLE, PR_SET_PTRACER, PR_SET_MM, PR_SET_SECCOMP.
std::span<const std::uint32_t> prctl_options() {
  static constexpr std::uint32_t kSetMdwe = 65;  // newer than this system's header
  static constexpr std::uint32_t kGetMdwe = 66;
  static constexpr std::uint32_t kOptions[] = {
      PR_SET_NO_NEW_PRIVS, PR_GET_NO_NEW_PRIVS, kSetMdwe,        kGetMdwe,
      PR_SET_NAME,         PR_GET_NAME,         PR_SET_VMA,      PR_GET_DUMPABLE,
      PR_SET_PDEATHSIG,    PR_GET_SECCOMP,      PR_CAPBSET_READ, PR_SET_THP_DISABLE,
  };
  return kOptions;
}

// Thread-local storage, what the start-up code of libc asks, and AMX.
std::span<const std::uint32_t> arch_prctl_codes() {
  static constexpr std::uint32_t kCetStatus = 0x3001;
  static constexpr std::uint32_t kShadowStackStatus = 0x5005;
  static constexpr std::uint32_t kSupportedFeatures = 0x1021;  // ARCH_GET_XCOMP_SUPP
  static constexpr std::uint32_t kGetFeatures = 0x1022;        // ARCH_GET_XCOMP_PERM
  static constexpr std::uint32_t kRequestFeature = 0x1023;     // ARCH_REQ_XCOMP_PERM
  static constexpr std::uint32_t kCodes[] = {
      ARCH_SET_FS,        ARCH_GET_FS,        ARCH_SET_GS,  ARCH_GET_GS,     kCetStatus,
      kShadowStackStatus, kSupportedFeatures, kGetFeatures, kRequestFeature,
  };
  return kCodes;
}

std::vector<SocketShape> socket_shapes(const policy::Policy& policy) {
  std::vector<SocketShape> shapes;
  if (policy.connects_unix()) shapes.push_back({AF_UNIX, SOCK_STREAM, 0});
  if (policy.connects_ipv4()) {
    shapes.push_back({AF_INET, SOCK_STREAM, 0});
    shapes.push_back({AF_INET, SOCK_STREAM, IPPROTO_TCP});
  }
  // An IPv4 address may be written in IPv6 (::ffff:10.0.0.1); the broker judges it as IPv4.
  if (policy.connects_ipv4() || policy.connects_ipv6()) {
    shapes.push_back({AF_INET6, SOCK_STREAM, 0});
    shapes.push_back({AF_INET6, SOCK_STREAM, IPPROTO_TCP});
  }
  return shapes;
}

std::span<const std::uint32_t> socketpair_types() {
  static constexpr std::uint32_t kTypes[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
  return kTypes;
}

// Not here: SO_ATTACH_* (code), SO_BINDTODEVICE, SO_MARK (routing), SO_PASSCRED (binds a name),
// SO_LINGER (the broker may be the last to close a socket, and would wait), TCP_CONGESTION and
// TCP_ULP (load modules), TCP_FASTOPEN_CONNECT, TCP_REPAIR.
std::span<const SocketOption> settable_options() {
  static constexpr SocketOption kOptions[] = {
      {SOL_SOCKET, SO_REUSEADDR},    {SOL_SOCKET, SO_KEEPALIVE},      {SOL_SOCKET, SO_OOBINLINE},
      {SOL_SOCKET, SO_SNDBUF},       {SOL_SOCKET, SO_RCVBUF},         {SOL_SOCKET, SO_RCVLOWAT},
      {SOL_SOCKET, SO_RCVTIMEO_OLD}, {SOL_SOCKET, SO_SNDTIMEO_OLD},   {SOL_SOCKET, SO_RCVTIMEO_NEW},
      {SOL_SOCKET, SO_SNDTIMEO_NEW}, {IPPROTO_TCP, TCP_NODELAY},      {IPPROTO_TCP, TCP_CORK},
      {IPPROTO_TCP, TCP_KEEPIDLE},   {IPPROTO_TCP, TCP_KEEPINTVL},    {IPPROTO_TCP, TCP_KEEPCNT},
      {IPPROTO_TCP, TCP_QUICKACK},   {IPPROTO_TCP, TCP_USER_TIMEOUT}, {IPPROTO_IP, IP_TOS},
      {IPPROTO_IPV6, IPV6_V6ONLY},   {IPPROTO_IPV6, IPV6_TCLASS},
  };
  return kOptions;
}

// Not here: SO_PEERPIDFD (a handle on another process), TCP_ZEROCOPY_RECEIVE.
std::span<const SocketOption> readable_options() {
  static constexpr SocketOption kOptions[] = {
      {SOL_SOCKET, SO_TYPE},           {SOL_SOCKET, SO_ERROR},        {SOL_SOCKET, SO_DOMAIN},
      {SOL_SOCKET, SO_PROTOCOL},       {SOL_SOCKET, SO_ACCEPTCONN},   {SOL_SOCKET, SO_PEERCRED},
      {SOL_SOCKET, SO_PASSCRED},       {SOL_SOCKET, SO_REUSEADDR},    {SOL_SOCKET, SO_KEEPALIVE},
      {SOL_SOCKET, SO_OOBINLINE},      {SOL_SOCKET, SO_LINGER},       {SOL_SOCKET, SO_SNDBUF},
      {SOL_SOCKET, SO_RCVBUF},         {SOL_SOCKET, SO_RCVLOWAT},     {SOL_SOCKET, SO_RCVTIMEO_OLD},
      {SOL_SOCKET, SO_SNDTIMEO_OLD},   {SOL_SOCKET, SO_RCVTIMEO_NEW}, {SOL_SOCKET, SO_SNDTIMEO_NEW},
      {IPPROTO_TCP, TCP_NODELAY},      {IPPROTO_TCP, TCP_MAXSEG},     {IPPROTO_TCP, TCP_CORK},
      {IPPROTO_TCP, TCP_KEEPIDLE},     {IPPROTO_TCP, TCP_KEEPINTVL},  {IPPROTO_TCP, TCP_KEEPCNT},
      {IPPROTO_TCP, TCP_INFO},         {IPPROTO_TCP, TCP_QUICKACK},   {IPPROTO_TCP, TCP_CONGESTION},
      {IPPROTO_TCP, TCP_USER_TIMEOUT}, {IPPROTO_IP, IP_TOS},          {IPPROTO_IPV6, IPV6_V6ONLY},
      {IPPROTO_IPV6, IPV6_TCLASS},
  };
  return kOptions;
}

}  // namespace torno::filter
