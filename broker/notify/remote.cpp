#include "broker/notify/remote.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "broker/base/fd.h"
#include "broker/notify/stop.h"
#include "broker/notify/target.h"
#include "broker/session/interrupt.h"

namespace torno::notify {
namespace {

constexpr unsigned long kSyscallInstruction = 2;  // bytes: "syscall" is 0f 05
constexpr int kSyscallStop = SIGTRAP | 0x80;      // PTRACE_O_TRACESYSGOOD

// What a call returns that a signal ended, for the kernel to repeat it or not: its own numbers,
// ERESTARTSYS and those after it, which are in no header.
constexpr long kRestart = 512;
constexpr long kLastRestart = 516;

// How long a thread may take for the calls that it is made to do. It runs the bytes that it has
// where its own call was, and they may have become something else.
constexpr std::chrono::seconds kPatience{2};

template <typename Data>
bool trace(__ptrace_request request, pid_t thread, std::uintptr_t address, Data data) {
  return ::ptrace(request, thread, address, data) == 0;
}

// A thread held by this one, from attach() to its end.
class Held {
 public:
  explicit Held(pid_t thread) : thread_(thread) {}
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
  ~Held() { let_go(); }

  // Its next way back to user mode stops it. Whoever has attached has to see to it that there is
  // one: that its call is answered.
  bool attach() {
    // Of one that the Tracer follows, whose thread this is then.
    followed_ = trace(PTRACE_INTERRUPT, thread_, 0, 0);
    if (followed_) return attached_ = true;
    attached_ = trace(PTRACE_SEIZE, thread_, 0, PTRACE_O_TRACESYSGOOD);
    return attached_ && trace(PTRACE_INTERRUPT, thread_, 0, 0);
  }

  // Waits until it stands still; false: it is gone.
  bool wait() {
    // The pool may want its thread back: user code may run for ever before its next call.
    const auto interrupt = [this] { trace(PTRACE_INTERRUPT, thread_, 0, 0); };
    if (!waits_.wait(thread_, status_, interrupt)) return attached_ = false;
    stopped_ = WIFSTOPPED(status_);
    if (!stopped_) attached_ = false;
    return stopped_;
  }

  // What it was about to do is kept; no signal comes between.
  bool begin() {
    if (!trace(PTRACE_GETREGS, thread_, 0, &before_)) return false;
    if (!trace(PTRACE_GETSIGMASK, thread_, sizeof mask_, &mask_)) return false;
    const std::uint64_t all = ~std::uint64_t{0};
    begun_ = trace(PTRACE_SETSIGMASK, thread_, sizeof all, &all);
    patience_ = Clock::now() + kPatience;
    return begun_;
  }

  // Its result, as the thread sees it; -EINTR when it did something else instead.
  long call(long number, unsigned long first, unsigned long second = 0, unsigned long third = 0) {
    user_regs_struct registers = before_;
    registers.orig_rax = ~0ULL;  // nothing is restarted
    registers.rax = static_cast<unsigned long long>(number);
    registers.rdi = first;
    registers.rsi = second;
    registers.rdx = third;
    registers.rip -= kSyscallInstruction;
    if (!trace(PTRACE_SETREGS, thread_, 0, &registers)) return -EINTR;
    if (!next_stop() || !trace(PTRACE_GETREGS, thread_, 0, &registers)) return -EINTR;
    if (registers.orig_rax != static_cast<unsigned long long>(number)) return -EINTR;
    if (!next_stop() || !trace(PTRACE_GETREGS, thread_, 0, &registers)) return -EINTR;
    const auto result = static_cast<long>(registers.rax);
    return result <= -kRestart && result >= -kLastRestart ? -EINTR : result;
  }

  // Beneath its stack, beyond what the ABI lets a function use without moving the stack pointer.
  std::uint64_t scratch(std::size_t size) const {
    constexpr std::uint64_t kRedZone = 128;
    return (before_.rsp - kRedZone - size) & ~std::uint64_t{15};
  }

  bool stands() const { return stopped_; }
  void set_result(long result) { before_.rax = static_cast<unsigned long long>(result); }

 private:
  using Clock = std::chrono::steady_clock;

  // The entry or the end of a system call; false when there is none.
  bool next_stop() {
    for (;;) {
      stopped_ = false;
      if (!trace(PTRACE_SYSCALL, thread_, 0, 0) || !wait()) return false;
      if (WSTOPSIG(status_) == kSyscallStop) return true;
      // A stop that the whole process is in, or an interruption of the pool's: it goes on here.
      if (status_ >> 16 == 0) {
        if (WSTOPSIG(status_) != SIGSTOP) return false;
        later_ = SIGSTOP;
      }
      if (Clock::now() > patience_) return false;
    }
  }

  // Not before it is known to be free, or gone: one that died while it was held is nobody else's
  // to wait for until it was waited for here.
  void let_go() {
    if (attached_ && !stopped_) trace(PTRACE_INTERRUPT, thread_, 0, 0);
    while (attached_ && (stopped_ || wait())) {
      if (begun_) {
        before_.orig_rax = ~0ULL;
        trace(PTRACE_SETREGS, thread_, 0, &before_);
        trace(PTRACE_SETSIGMASK, thread_, sizeof mask_, &mask_);
      }
      // One that it stands at is delivered with the end of it all.
      const bool stands = status_ >> 16 == 0 && WSTOPSIG(status_) != kSyscallStop;
      const int signal = stands ? WSTOPSIG(status_) : 0;
      if (later_ != 0 && !stands) ::syscall(SYS_tkill, thread_, later_);
      const auto request = followed_ ? PTRACE_CONT : PTRACE_DETACH;
      attached_ = !trace(request, thread_, 0, static_cast<std::uintptr_t>(signal));
      stopped_ = false;
    }
  }

  const pid_t thread_;
  const StopWait waits_;
  bool followed_ = false;
  bool attached_ = false;
  bool stopped_ = false;
  bool begun_ = false;
  int status_ = 0;
  int later_ = 0;
  Clock::time_point patience_;
  user_regs_struct before_{};
  std::uint64_t mask_ = 0;
};

// What recvmsg(2) needs, as it lies in the thread's memory.
struct Mail {
  msghdr message;
  iovec piece;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
  char byte;
};

// What was sent, from the thread's memory into `fd`; 0 or a negative errno value.
long take_fd(const Mail& mail, int& fd) {
  cmsghdr header{};
  std::memcpy(&header, mail.control, sizeof header);
  if (mail.message.msg_controllen < CMSG_LEN(sizeof(int)) || header.cmsg_type != SCM_RIGHTS) {
    return -EMFILE;  // the kernel leaves it out where the thread may have no more
  }
  std::memcpy(&fd, mail.control + CMSG_LEN(0), sizeof fd);
  return 0;
}

// Has the thread receive a descriptor on its socket `number`; a negative errno value when it fails.
long receive(Held& thread, const Target& target, int number, bool close_on_exec) {
  const std::uint64_t address = thread.scratch(sizeof(Mail));
  const auto at = [address](std::size_t offset) {
    return reinterpret_cast<void*>(static_cast<std::uintptr_t>(address + offset));
  };
  Mail mail{};
  mail.piece = {at(offsetof(Mail, byte)), 1};
  mail.message.msg_iov = static_cast<iovec*>(at(offsetof(Mail, piece)));
  mail.message.msg_iovlen = 1;
  mail.message.msg_control = at(offsetof(Mail, control));
  mail.message.msg_controllen = sizeof mail.control;
  const auto bytes = std::as_writable_bytes(std::span(&mail, 1));
  // A small stack (a goroutine's) may lie next to memory that is used for something else.
  std::array<std::byte, sizeof(Mail)> before;
  if (const int error = target.read(address, before); error != 0) return -error;
  if (const int error = target.write(address, bytes); error != 0) return -error;
  const unsigned long flags =
      MSG_DONTWAIT | (close_on_exec ? static_cast<unsigned long>(MSG_CMSG_CLOEXEC) : 0);
  const auto socket = static_cast<unsigned long>(number);
  long received = thread.call(SYS_recvmsg, socket, address, flags);
  int fd = -1;
  if (received >= 0) received = -target.read(address, bytes);
  if (received == 0) received = take_fd(mail, fd);
  if (thread.stands()) target.write(address, before);  // else it is gone, and its number free
  return received < 0 ? received : fd;
}

// The socket's other end, with `fd` waiting in it; nothing, and errno, when it cannot be sent.
Fd mail_of(int fd) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return Fd();
  const Fd ours(ends[0]);
  Fd theirs(ends[1]);
  Mail mail{};
  mail.piece = {&mail.byte, 1};
  mail.message.msg_iov = &mail.piece;
  mail.message.msg_iovlen = 1;
  mail.message.msg_control = mail.control;
  mail.message.msg_controllen = sizeof mail.control;
  cmsghdr* const header = CMSG_FIRSTHDR(&mail.message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof fd);
  std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
  return ::sendmsg(ours.get(), &mail.message, MSG_NOSIGNAL) == 1 ? std::move(theirs) : Fd();
}

// Whoever is held may be another thread that got the number: with that one nothing happens but that
// it is let go, for the call is then known to wait no more.
bool attach(const Listener& listener, const Notification& call, Held& thread) {
  return listener.is_waiting(call.id) && thread.attach();
}

// The thread has to run for it, which may take time, and the program's signals shall not make the
// call fail: they come after it.
int add(const Listener& listener, const Notification& call, int fd) {
  const session::NoInterrupts whole;
  return listener.add(call.id, fd, true);
}

// Gives the thread the descriptor, and then has it do `then`, whose result is that of its call.
template <typename Then>
bool steer(const Listener& listener, const Notification& call, int fd, bool close_on_exec,
           int& error, Then then) {
  const Fd mail = mail_of(fd);
  if (!mail) {
    error = errno;
    return false;
  }
  Held thread(call.thread);
  if (!attach(listener, call, thread)) {
    error = EACCES;
    return false;
  }
  // Not before the thread is held: nobody else could take the socket away again.
  const int socket = add(listener, call, mail.get());
  if (!listener.answer(call.id, socket < 0 ? socket : -EINTR) || socket < 0) return true;
  if (!thread.wait() || !thread.begin()) return true;
  const long received = receive(thread, Target(call.thread), socket, close_on_exec);
  thread.call(SYS_close, static_cast<unsigned long>(socket));
  thread.set_result(received < 0 ? received : then(thread, static_cast<unsigned long>(received)));
  return true;
}

}  // namespace

bool change_directory(const Listener& listener, const Notification& call, int directory,
                      int& error) {
  return steer(listener, call, directory, true, error, [](Held& thread, unsigned long fd) {
    const long result = thread.call(SYS_fchdir, fd);
    thread.call(SYS_close, fd);
    return result;
  });
}

bool give_path(const Listener& listener, const Notification& call, int fd, bool close_on_exec,
               int& error) {
  return steer(listener, call, fd, close_on_exec, error, [&](Held& thread, unsigned long given) {
    // The socket took the lowest number, which is the one that the call has to return.
    const unsigned long duplicate = close_on_exec ? F_DUPFD_CLOEXEC : F_DUPFD;
    const long lowest = thread.call(SYS_fcntl, given, duplicate, 0);
    thread.call(SYS_close, given);
    return lowest;
  });
}

bool restart(const Listener& listener, const Notification& call) {
  Held thread(call.thread);
  if (!attach(listener, call, thread)) return false;
  listener.answer(call.id, -kRestart);
  return true;
}

bool hold_at_return(const Listener& listener, const Notification& call, long result,
                    const std::function<void()>& then) {
  Held thread(call.thread);
  if (!attach(listener, call, thread) || !listener.answer(call.id, result)) return false;
  if (!thread.wait()) return false;
  then();
  return true;
}

}  // namespace torno::notify
