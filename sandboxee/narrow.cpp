// The broker narrows the session when it answers; from there on every failure is fatal, since the
// process would run under less than it was told. More than one thread is no hindrance here: the
// verdict binds the session, TSYNC every thread, and the first ruleset allowed nothing already.
#include "sandboxee/narrow.h"

#include <string.h>
#include <sys/resource.h>

#include <cerrno>

#include "sandboxee/ask.h"
#include "sandboxee/fatal.h"
#include "sandboxee/layers.h"
#include "sandboxee/message.h"
#include "sandboxee/signals.h"
#include "sandboxee/terms.h"

namespace torno {
namespace {

bool lower_open_files_again(unsigned open_files, Failure& fail) {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return fail.system(errno, "cannot read RLIMIT_NOFILE");
  if (open_files == 0 || open_files >= limit.rlim_max) return true;
  limit = {open_files, open_files};
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
    return fail.system(errno, "cannot lower RLIMIT_NOFILE");
  return true;
}

// A path as the broker tells paths from names; a relative one means the program's own directory.
bool is_relative_path(const char* policy, std::size_t size) {
  static constexpr char kSuffix[] = ".policy";
  constexpr std::size_t kSuffixSize = sizeof kSuffix - 1;
  if (*policy == '/') return false;
  return strchr(policy, '/') != nullptr ||
         (size >= kSuffixSize && memcmp(policy + size - kSuffixSize, kSuffix, kSuffixSize) == 0);
}

// What the broker says of it; where it says nothing, or is gone, the errno value's text.
bool say_refused(const char* policy, int error, const wire::Reply& reply, Failure& fail) {
  if (reply.message.size > 0) {
    return fail(error, "%.*s", static_cast<int>(reply.message.size),
                reinterpret_cast<const char*>(reply.message.data));
  }
  return fail(error, "the broker refuses policy %.200s inside the sandbox: %s", policy,
              strerror(error));
}

// Asks for the policy; the reply's descriptors and Welcome go into `terms`.
bool ask_narrow(const char* policy, Terms& terms, bool& narrowed, Failure& fail) {
  ucontext_t context{};
  raw::call(__NR_rt_sigprocmask, SIG_BLOCK, nullptr, &context.uc_sigmask, sizeof(KernelMask));
  Trap trap{};
  trap.context = &context;
  trap.role = pool::adopt_process();

  SlotLease slot(trap);
  if (slot.error() != 0) {
    return fail.system(static_cast<int>(-slot.error()), "no channel to the broker");
  }
  Target target;
  target.path = policy;
  target.path_size = strlen(policy);
  if (is_relative_path(policy, target.path_size)) {
    if (const long error = add_cwd(*slot, target); error < 0) {
      return fail.system(static_cast<int>(-error), "cannot tell the working directory");
    }
  }
  slot->reply = {};  // no reply at all must not be read as an earlier one
  torno_wire_Request request{};
  request.which_call = torno_wire_Request_narrow_tag;
  Answer answer = ask(*slot, trap, request, target, kMaxReceivedFds);
  if (answer.result < 0) {
    return say_refused(policy, static_cast<int>(-answer.result), slot->reply, fail);
  }
  narrowed = true;
  if (!wire::decode_welcome(slot->reply.narrowed, terms.welcome)) {
    answer.received.close_fds();
    return fail(EPROTO, "the broker's answer lacks the policy's terms");
  }
  return read_terms(answer.received, terms, fail);
}

}  // namespace

bool narrow(const char* policy, Failure& fail) {
  Terms* const terms = new_terms();
  if (terms == nullptr) return fail.system(ENOMEM, "no memory for the filter");
  bool narrowed = false;
  const bool done = ask_narrow(policy, *terms, narrowed, fail) &&
                    lower_open_files_again(terms->welcome.open_files, fail) &&
                    layers::put_up(*terms, fail);
  delete_terms(terms);
  if (!done && narrowed) fatal(fail);
  return done;
}

}  // namespace torno
