#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "broker/session/policy_name.h"
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

// A sealed sandboxee names a further policy. By its name it gets what any peer gets. By a path,
// where one may be named at all, it gets a file that it may read under the policies in force: what
// the answer tells of that file it could have found out itself.
std::expected<ReadyPolicy, int> Session::choose_further_policy(const Incoming& incoming,
                                                               const CheckedPlace& checked) {
  const std::string name(checked.place.path);
  PolicyStore::Found found;
  if (is_policy_name(name) && !(services_.settings.embedded && is_policy_path(name))) {
    found = services_.policies.find(name, common_variables_, own_variables_);
  } else if (services_.settings.embedded && is_policy_path(name)) {
    if (checked.error != 0) return std::unexpected(checked.error);
    files::OpenRequest open;
    open.place = checked.place;
    // A broker of one session: whom the file keeps waiting is the peer itself.
    open.flags = O_RDONLY | O_NONBLOCK;
    files::Outcome opened = services_.files->open(*policy_, open, files::Wait::kMayBlock);
    if (opened.denial) record_denial(incoming.row, incoming.client, opened);
    if (opened.error != 0) return std::unexpected(opened.error);
    const auto text = read_policy_text(opened.fd.get());
    if (!text) return std::unexpected(text.error());
    Variables variables = common_variables_;
    variables.insert(own_variables_.begin(), own_variables_.end());
    found = services_.policies.from_text(*text, name, variables);
  } else {
    return std::unexpected(EINVAL);
  }
  if (!found) {
    audit::Event refused = event(incoming.client);
    refused.mutable_refused()->set_reason(found.error().message);
    record_limited(std::move(refused));
    return std::unexpected(found.error().missing ? ENOENT : EINVAL);
  }
  return *found;
}

Session::Breach Session::narrow(const LinkPtr& link, Incoming& incoming) {
  LinkPtr channel;
  if (const Breach breach = find_channel(link, incoming, channel); breach != nullptr) return breach;
  const wire::Request& request = incoming.message.request();
  CheckedPlace checked = check_place(request);
  if (checked.broken != nullptr) return checked.broken;
  ++requests_;
  checked.place.client = incoming.client;
  if (policy_->policies().size() >= kMaxStackedPolicies) {
    answer_error(channel, request.sequence(), E2BIG);
    return nullptr;
  }
  const auto further = choose_further_policy(incoming, checked);
  if (!further) {
    answer_error(channel, request.sequence(), further.error());
    return nullptr;
  }
  auto welcome = make_welcome(*further);
  if (!welcome) {
    answer_error(channel, request.sequence(), ENOSYS);
    return nullptr;
  }
  auto narrowed = std::make_shared<policy::PolicyStack>(*policy_);
  narrowed->push(further->policy);
  policy_ = std::move(narrowed);
  policy_name_ = policy_->name();
  wire::BrokerMessage& message = workspace_.decoder.new_answer();
  wire::Reply& reply = *message.mutable_reply();
  reply.set_sequence(request.sequence());
  *reply.mutable_narrowed() = std::move(welcome->message);
  answer(channel, message, welcome->fds);
  return nullptr;
}

}  // namespace torno::session
