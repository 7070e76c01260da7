#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <memory>
#include <utility>

#include "broker/base/error.h"
#include "broker/session/policy_name.h"
#include "broker/session/sender.h"
#include "broker/session/session.h"
#include "broker/session/welcome.h"

namespace torno::session {
namespace {

struct PolicyText {
  std::string text;
  policy::FileIdentity file;
};

std::expected<PolicyText, int> read_policy_text(int fd) {
  struct statx file{};
  constexpr unsigned kMask = STATX_TYPE | policy::FileIdentity::kMask;
  if (::statx(fd, "", AT_EMPTY_PATH, kMask, &file) != 0) return std::unexpected(errno);
  if (!S_ISREG(file.stx_mode)) return std::unexpected(EINVAL);
  std::string text(kMaxPolicyText + 1, '\0');
  std::size_t length = 0;
  while (length < text.size()) {
    const ssize_t count =
        ::pread(fd, text.data() + length, text.size() - length, static_cast<off_t>(length));
    if (count < 0) return std::unexpected(errno);
    if (count == 0) break;
    length += static_cast<std::size_t>(count);
  }
  if (length > kMaxPolicyText) return std::unexpected(EFBIG);
  text.resize(length);
  return PolicyText{std::move(text), policy::FileIdentity::of(file)};
}

std::string why_unread(const std::string& path, int error) {
  const std::string what = "cannot read policy '" + path + "'";
  switch (error) {
    case EACCES:
      return system_error(what, error).message + "; the policies in force must allow to READ it";
    case EINVAL:
      return what + ": it is no plain file";
    case EFBIG:
      return what + ": it is larger than 1 MiB";
    default:
      return system_error(what, error).message;
  }
}

std::string no_name(const std::string& name) {
  return "'" + name.substr(0, kMaxPolicyName) +
         "' is no policy's name; inside the sandbox of a shared broker write a name of A-Z, a-z, "
         "0-9, . _ - only";
}

std::string too_many() {
  return "at most " + std::to_string(kMaxStackedPolicies) +
         " policies may be in force at once; put the rules of several into one";
}

}  // namespace

// What came of loading a further policy.
struct Session::Further {
  const pid_t client;
  const Sender sender;
  const Row& row;
  const std::string name;
  PolicyStore::Found found = std::unexpected(PolicyStore::Failure{});
  files::Outcome opened{};  // of the file, where a path names it
  int error = 0;            // with no word in `found`
};

// A sealed sandboxee names a further policy. By its name it gets what any peer gets. By a path,
// where one may be named at all, it gets a file that it may read under the policies in force: what
// the answer tells of that file it could have found out itself. Loaded on a thread of the pool.
Session::Breach Session::narrow(const LinkPtr& channel, Incoming& incoming) {
  const Request& request = incoming.request;
  if (request.channel != 0) return "a channel named on a channel";
  if (const Breach breach = check_free(*channel); breach != nullptr) return breach;
  const CheckedPlace checked = check_place(request);
  if (checked.broken != nullptr) return checked.broken;
  ++requests_;
  const std::uint32_t sequence = request.sequence;
  const pid_t client = incoming.client;
  if (policy_->policies().size() >= kMaxStackedPolicies) {
    refuse_narrow(channel, sequence, client, E2BIG, too_many());
    return nullptr;
  }
  const std::string name(checked.place.path);
  const bool by_path = services_.settings.embedded && is_policy_path(name);
  if (!by_path && !is_policy_name(name)) {
    narrow_failed(channel, sequence, client, EINVAL, no_name(name));
    return nullptr;
  }
  if (by_path && checked.error != 0) {
    narrow_failed(channel, sequence, client, checked.error, why_unread(name, checked.error));
    return nullptr;
  }
  auto further = std::make_shared<Further>(client, Sender(client), incoming.row, name);
  auto work = [self = shared_from_this(), channel = LinkPtr(channel), further, by_path, name,
               sequence, bytes = std::string(incoming.bytes), policy = policy_,
               policies = services_.policies, files = services_.files, common = common_variables_,
               own = own_variables_](bool cancelled) mutable {
    further->error = cancelled ? EINTR : 0;
    if (!cancelled && !by_path) further->found = policies->find(name, common, own);
    if (!cancelled && by_path) {
      files::OpenRequest open;
      Request again;
      read_request(bytes, again);
      open.place = check_place(again).place;
      open.place.client = further->client;
      open.flags = O_RDONLY | O_NONBLOCK;
      further->opened = files->open(*policy, open, files::Wait::kMayBlock);
      std::expected<PolicyText, int> text = std::unexpected(further->opened.error);
      if (further->opened.fd) text = read_policy_text(further->opened.fd.get());
      // Else what /proc/self led to, or why it led nowhere, may be another process's.
      if (further->sender.is_gone()) {
        text = std::unexpected(ESRCH);
        further->opened.denial.reset();
      }
      further->error = text ? 0 : text.error();
      common.insert(own.begin(), own.end());
      const auto shows = [&policy](std::string_view path) {
        const policy::Verdict verdict = policy->decide_file(path, policy::kStat);
        return verdict.allowed || verdict.leads;
      };
      if (text) further->found = policies->from_text(text->text, name, common, text->file, shows);
      further->opened.fd.reset();
    }
    Loop& loop = self->loop_;
    loop.post([self = std::move(self), channel = std::move(channel), sequence,
               further = std::move(further)] {
      channel->job = nullptr;
      if (!self->ended_ && channel->is_open()) self->narrowed(channel, sequence, *further);
    });
  };
  channel->job = services_.slow_pool.submit(peer_.pid, std::move(work));
  channel->job_sequence = sequence;
  if (channel->job == nullptr) {
    refuse_narrow(channel, sequence, client, ENFILE,
                  "too much is under way for this process; try again later");
  }
  return nullptr;
}

void Session::narrowed(const LinkPtr& channel, std::uint32_t sequence, Further& further) {
  recorder_.denial(further.row.kind, further.client, further.opened);
  if (further.error != 0) {
    narrow_failed(channel, sequence, further.client, further.error,
                  why_unread(further.name, further.error));
    return;
  }
  if (!further.found) {
    const PolicyStore::Failure& failure = further.found.error();
    narrow_failed(channel, sequence, further.client, failure.missing ? ENOENT : EINVAL,
                  failure.message);
    return;
  }
  auto welcome = make_welcome(*further.found);
  if (!welcome) {
    narrow_failed(channel, sequence, further.client, ENOSYS, welcome.error().message);
    return;
  }
  if (policy_->policies().size() >= kMaxStackedPolicies) {
    refuse_narrow(channel, sequence, further.client, E2BIG, too_many());
    return;
  }
  auto narrowed = std::make_shared<policy::PolicyStack>(*policy_);
  narrowed->push(further.found->policy);
  policy_ = std::move(narrowed);
  recorder_.set_policy(policy_->name());
  wire::BrokerMessage& message = workspace_.decoder.new_answer();
  wire::Reply& reply = *message.mutable_reply();
  reply.set_sequence(sequence);
  *reply.mutable_narrowed() = std::move(welcome->message);
  answer(channel, message, welcome->fds);
}

void Session::narrow_failed(const LinkPtr& channel, std::uint32_t sequence, pid_t client, int error,
                            std::string why) {
  if (++narrow_failures_ > kMaxNarrowFailures) {
    violate("it names one policy after another that does not load");
    return;
  }
  refuse_narrow(channel, sequence, client, error, std::move(why));
}

// `why` is what a peer that says Hello is told of the same policy, or is about a file that the
// sandboxee may read itself.
void Session::refuse_narrow(const LinkPtr& channel, std::uint32_t sequence, pid_t client, int error,
                            std::string why) {
  wire::BrokerMessage& message = workspace_.decoder.new_answer();
  wire::Reply& reply = *message.mutable_reply();
  reply.set_sequence(sequence);
  reply.set_result(-error);
  reply.set_message(escape(why).substr(0, kMaxRefusal));
  answer(channel, message, {});
  audit::Event refused = recorder_.event(client);
  refused.mutable_refused()->set_reason(std::move(why));
  recorder_.write_limited(std::move(refused));
}

}  // namespace torno::session
