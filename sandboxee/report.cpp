#include "sandboxee/report.h"

#include <atomic>
#include <cerrno>

#include "sandboxee/include/torno/torno.h"
#include "sandboxee/pool.h"
#include "sandboxee/published.h"
#include "sandboxee/syscall_name.h"

namespace torno {
namespace {

struct Subscriber {
  torno_trap_callback callback;
  void* user;
};
Published<Subscriber> subscriber;

// This thread is in the callback: what is refused there is not reported, or a callback that does
// something refused would call itself for ever. A thread-local variable could be the first of its
// module, and then the handler would allocate; so threads are told apart by their ids.
class InCallback {
 public:
  InCallback() {
    const int thread = static_cast<int>(raw::call(__NR_gettid));
    std::atomic<int>* const threads = pool::threads_in_callback();
    for (int i = 0; i < pool::kMaxThreadsInCallback; ++i) {
      if (threads[i].load() == thread) return;
    }
    for (int i = 0; i < pool::kMaxThreadsInCallback; ++i) {
      int nobody = 0;
      if (!threads[i].compare_exchange_strong(nobody, thread)) continue;
      place_ = &threads[i];
      return;
    }
  }
  InCallback(const InCallback&) = delete;
  InCallback& operator=(const InCallback&) = delete;
  ~InCallback() {
    if (place_ != nullptr) place_->store(0);
  }
  // False on the second entry, and when all places are taken: the call goes unreported then.
  bool entered() const { return place_ != nullptr; }

 private:
  std::atomic<int>* place_ = nullptr;
};

}  // namespace

void report(const Trap& trap, int error) {
  const Subscriber to = subscriber.get();
  if (to.callback == nullptr) return;
  const InCallback in_callback;
  if (!in_callback.entered()) return;
  const char* name = syscall_name(trap.number);
  torno_trap refused{};
  refused.size = sizeof refused;
  refused.nr = trap.number;
  refused.name = name != nullptr ? name : "unknown";
  for (int i = 0; i < 6; ++i) refused.args[i] = trap.args[i];
  refused.error = error;
  const int saved = errno;
  to.callback(&refused, to.user);
  errno = saved;
}

}  // namespace torno

void torno_on_trap(torno_trap_callback callback, void* user) {
  torno::subscriber.set({callback, user});
}
