#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <memory>

#include "broker/session/policy_name.h"
#include "broker/session/sender.h"
#include "broker/session/session.h"
#include "broker/session/welcome.h"

namespace torno::session {
namespace {

std::expected<std::string, int> read_policy_text(int fd) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) return std::unexpected(errno);
  if (!S_ISREG(status.st_mode)) return std::unexpected(EINVAL);
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
  return text;
}

}  // namespace

// What came of loading a further policy.
struct Session::Further {
  const pid_t client;
  const Sender sender;
  const Row& row;
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
  if (policy_->policies().size() >= kMaxStackedPolicies) {
    answer_error(channel, sequence, E2BIG);
    return nullptr;
  }
  const std::string name(checked.place.path);
  const bool by_path = services_.settings.embedded && is_policy_path(name);
  if (!by_path && !is_policy_name(name)) {
    narrow_failed(channel, sequence, EINVAL);
    return nullptr;
  }
  if (by_path && checked.error != 0) {
    narrow_failed(channel, sequence, checked.error);
    return nullptr;
  }
  auto further = std::make_shared<Further>(incoming.client, Sender(incoming.client), incoming.row);
  auto work = [self = shared_from_this(), channel, further, by_path, name, sequence,
               bytes = std::string(incoming.bytes), policy = policy_, policies = services_.policies,
               files = services_.files, common = common_variables_,
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
      std::expected<std::string, int> text = std::unexpected(further->opened.error);
      if (further->opened.fd) text = read_policy_text(further->opened.fd.get());
      // Else what /proc/self led to, or why it led nowhere, may be another process's.
      if (further->sender.is_gone()) {
        text = std::unexpected(ESRCH);
        further->opened.denial.reset();
      }
      further->error = text ? 0 : text.error();
      common.insert(own.begin(), own.end());
      if (text) further->found = policies->from_text(*text, name, common);
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
  if (channel->job == nullptr) answer_error(channel, sequence, ENFILE);
  return nullptr;
}

void Session::narrowed(const LinkPtr& channel, std::uint32_t sequence, Further& further) {
  record_denial(further.row, further.client, further.opened);
  if (further.error != 0) {
    narrow_failed(channel, sequence, further.error);
    return;
  }
  if (!further.found) {
    audit::Event refused = event(further.client);
    refused.mutable_refused()->set_reason(further.found.error().message);
    record_limited(std::move(refused));
    narrow_failed(channel, sequence, further.found.error().missing ? ENOENT : EINVAL);
    return;
  }
  auto welcome = make_welcome(*further.found);
  if (!welcome) {
    narrow_failed(channel, sequence, ENOSYS);
    return;
  }
  if (policy_->policies().size() >= kMaxStackedPolicies) {
    answer_error(channel, sequence, E2BIG);
    return;
  }
  auto narrowed = std::make_shared<policy::PolicyStack>(*policy_);
  narrowed->push(further.found->policy);
  policy_ = std::move(narrowed);
  policy_name_ = policy_->name();
  wire::BrokerMessage& message = workspace_.decoder.new_answer();
  wire::Reply& reply = *message.mutable_reply();
  reply.set_sequence(sequence);
  *reply.mutable_narrowed() = std::move(welcome->message);
  answer(channel, message, welcome->fds);
}

void Session::narrow_failed(const LinkPtr& channel, std::uint32_t sequence, int error) {
  if (++narrow_failures_ > kMaxNarrowFailures) {
    violate("it names one policy after another that does not load");
    return;
  }
  answer_error(channel, sequence, error);
}

}  // namespace torno::session
