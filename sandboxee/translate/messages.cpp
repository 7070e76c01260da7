// sendmsg and sendmmsg: a message without a name and without control data is a plain sendto. A
// name was vetted by nobody, and control data may carry descriptors out of the sandbox.
#include <limits.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "sandboxee/limits.h"
#include "sandboxee/translate/translate.h"
#include "sandboxee/user_memory.h"

namespace torno::translate {
namespace {

// What the kernel sends at once at most (MAX_RW_COUNT).
constexpr std::size_t kMaxBytes = INT_MAX & ~(kPageSize - 1);

constexpr unsigned kMaxMessages = 1024;  // as the kernel: UIO_MAXIOV

long send(int socket, const void* bytes, std::size_t size, unsigned flags) {
  return raw::call(__NR_sendto, socket, bytes, size, flags, nullptr, 0);
}

// Bytes that lie in several places, put together in memory of their own for one sendto, since
// writev has no flags and a datagram must go at once.
class Gathered {
 public:
  explicit Gathered(std::size_t size) : size_(size) {
    const long address = raw::call(__NR_mmap, nullptr, size, PROT_READ | PROT_WRITE,
                                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (!raw::failed(address)) bytes_ = reinterpret_cast<char*>(address);
  }
  Gathered(const Gathered&) = delete;
  Gathered& operator=(const Gathered&) = delete;
  ~Gathered() {
    if (bytes_ != nullptr) raw::call(__NR_munmap, bytes_, size_);
  }
  explicit operator bool() const { return bytes_ != nullptr; }

  bool add(const iovec& piece) {
    std::size_t size = size_ - used_;
    if (piece.iov_len < size) size = piece.iov_len;
    if (!copy_in(bytes_ + used_, raw::word(piece.iov_base), size)) return false;
    used_ += size;
    return true;
  }
  const char* bytes() const { return bytes_; }
  std::size_t size() const { return used_; }

 private:
  std::size_t size_;
  std::size_t used_ = 0;
  char* bytes_ = nullptr;
};

long send_pieces(int socket, raw::Word pieces, std::size_t count, unsigned flags) {
  const auto piece = [pieces](std::size_t index, iovec& into) {
    return copy_in(&into, pieces + index * sizeof(iovec), sizeof(iovec));
  };
  iovec one{};
  if (count == 0) return send(socket, nullptr, 0, flags);
  if (count == 1) return piece(0, one) ? send(socket, one.iov_base, one.iov_len, flags) : -EFAULT;

  std::size_t total = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (!piece(i, one)) return -EFAULT;
    if (static_cast<long>(one.iov_len) < 0) return -EINVAL;
    total += one.iov_len < kMaxBytes ? one.iov_len : kMaxBytes;
    if (total > kMaxBytes) total = kMaxBytes;
  }
  if (total == 0) return send(socket, nullptr, 0, flags);
  Gathered gathered(total);
  if (!gathered) return -ENOBUFS;
  for (std::size_t i = 0; i < count; ++i) {
    if (!piece(i, one) || !gathered.add(one)) return -EFAULT;
  }
  return send(socket, gathered.bytes(), gathered.size(), flags);
}

long send_message(Trap& trap, int socket, raw::Word address, unsigned flags) {
  msghdr message;
  if (!copy_in(&message, address, sizeof message)) return -EFAULT;
  if (message.msg_name != nullptr && message.msg_namelen != 0) return trap.refuse(EACCES);
  if (message.msg_controllen != 0) return trap.refuse(EPERM);
  if (message.msg_iovlen > IOV_MAX) return -EMSGSIZE;
  return send_pieces(socket, raw::word(message.msg_iov), message.msg_iovlen, flags);
}

}  // namespace

long sendmsg(Trap& trap) {
  return send_message(trap, trap.as_int(0), trap.args[1], trap.as_unsigned(2));
}

long sendmmsg(Trap& trap) {
  unsigned count = trap.as_unsigned(2);
  if (count > kMaxMessages) count = kMaxMessages;
  unsigned sent = 0;
  for (; sent < count; ++sent) {
    const raw::Word at = trap.args[1] + sent * sizeof(mmsghdr);
    const long result = send_message(trap, trap.as_int(0), at, trap.as_unsigned(3));
    if (result < 0) return sent > 0 ? sent : result;
    const auto length = static_cast<unsigned>(result);
    if (!copy_out(at + offsetof(mmsghdr, msg_len), &length, sizeof length)) return -EFAULT;
  }
  return sent;
}

}  // namespace torno::translate
