// torno_enter: finds the broker, agrees on terms, and puts the walls up.
#include <dirent.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "sandboxee/broker_gone.h"
#include "sandboxee/descriptors.h"
#include "sandboxee/enter.h"
#include "sandboxee/fatal.h"
#include "sandboxee/fields.h"
#include "sandboxee/find_broker.h"
#include "sandboxee/handler.h"
#include "sandboxee/handshake.h"
#include "sandboxee/include/torno/torno.h"
#include "sandboxee/layers.h"
#include "sandboxee/narrow.h"
#include "sandboxee/raw.h"
#include "sandboxee/terms.h"
#include "sandboxee/translate/umask.h"

namespace torno {
namespace {

std::atomic<bool> confined{false};

bool check_arguments(const char* policy, unsigned flags, Failure& fail) {
  if (policy == nullptr || *policy == '\0') return fail(EINVAL, "no policy is named");
  if (strlen(policy) > kMaxPath) return fail(EINVAL, "the policy's name is too long");
  if ((flags & ~TORNO_NO_EMBEDDED) != 0) return fail(EINVAL, "unknown flags 0x%x", flags);
  return true;
}

// Landlock binds the calling thread alone, and a thread with SIGSYS blocked would die at its
// first open.
bool check_single_thread(Failure& fail) {
  DIR* const tasks = opendir("/proc/self/task");
  if (tasks == nullptr) {
    return fail.system(errno, "cannot read /proc/self/task, which torno_enter needs");
  }
  int threads = 0;
  while (const dirent* entry = readdir(tasks)) {
    if (entry->d_name[0] != '.') ++threads;
  }
  closedir(tasks);
  if (threads == 1) return true;
  return fail(EBUSY, "the process has %d threads: call torno_enter before starting any", threads);
}

// The way to the broker is nothing for what runs in here.
void clean_environment() {
  if (environ == nullptr) return;
  char** kept = environ;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (strncmp(*variable, "TORNO_", 6) != 0) *kept++ = *variable;
  }
  *kept = nullptr;
}

void remember_umask() {
  const mode_t mask = umask(0);
  umask(mask);
  umask_cache::remember(mask);
}

bool say_sealed(unsigned layers, Failure& fail) {
  constexpr std::size_t kHead = 2;
  unsigned char message[kHead + torno_wire_Sealed_size];
  wire::FieldWriter content(message + kHead);
  content.number(torno_wire_Sealed_layers_tag, layers);
  const auto size = static_cast<std::size_t>(content.end() - message);
  wire::FieldWriter(message).bytes_head(torno_wire_ClientMessage_sealed_tag, size - kHead);
  const long sent = raw::call(__NR_sendto, kControlFd, message, size, MSG_NOSIGNAL, nullptr, 0);
  if (sent == static_cast<long>(size)) return true;
  return fail.system(EIO, "the broker went away during the seal");
}

// Limits and the handler come first: after the filter neither can be put in place.
bool seal(const Terms& terms, Failure& fail) {
  set_die_with_broker(terms.welcome.broker_gone == torno_wire_BrokerGone_BROKER_GONE_KILL);
  remember_umask();
  if (!lower_open_files(terms.welcome.open_files, fail)) return false;
  const long error = install_handler();
  if (error != 0) return fail.system(static_cast<int>(-error), "cannot handle SIGSYS");
  if (!layers::put_up(terms, fail)) {
    remove_handler();
    return false;
  }
  if (!say_sealed(terms.welcome.layers, fail)) fatal(fail);
  clean_environment();
  confined.store(true);
  return true;
}

bool enter_placed(Terms& terms, Failure& fail) {
  if (adopt_descriptors(fail) && seal(terms, fail)) return true;
  abandon_descriptors();
  return false;
}

bool enter_on_terms(Fd control, const char* policy, Terms& terms, Failure& fail) {
  if (!shake_hands(control.get(), policy, terms, fail)) return false;
  if (place_descriptors(static_cast<Fd&&>(control), fail) && seal(terms, fail)) return true;
  abandon_descriptors();
  return false;
}

bool enter_first(const char* policy, unsigned flags, Failure& fail) {
  if (!check_single_thread(fail) || !check_descriptors(fail)) return false;
  Fd control = find_broker((flags & TORNO_NO_EMBEDDED) == 0, fail);
  if (!control) return false;
  Terms* const terms = new_terms();
  if (terms == nullptr) return fail.system(ENOMEM, "no memory for the filter");
  const bool entered = enter_on_terms(static_cast<Fd&&>(control), policy, *terms, fail);
  delete_terms(terms);
  return entered;
}

}  // namespace

bool enter_launched(Failure& fail) {
  Terms* const terms = new_terms();
  if (terms == nullptr) return fail.system(ENOMEM, "no memory for the filter");
  const bool entered =
      shake_hands(kControlFd, "launched", *terms, fail) && enter_placed(*terms, fail);
  delete_terms(terms);
  return entered;
}

}  // namespace torno

int torno_enter(const char* policy, unsigned flags, char* error, size_t error_size) {
  torno::Failure fail(error, error_size);
  const bool entered = torno::check_arguments(policy, flags, fail) &&
                       (torno_is_confined() != 0 ? torno::narrow(policy, fail)
                                                 : torno::enter_first(policy, flags, fail));
  if (entered) return 0;
  errno = fail.error();
  return -1;
}

int torno_is_confined(void) {
  return torno::confined.load() ? 1 : 0;
}

const char* torno_version(void) {
  return TORNO_VERSION " (wire 1)";
}
