#include <cerrno>
#include <utility>

#include "broker/session/sender.h"
#include "broker/session/session.h"

namespace torno::session {

// Where a request leads, by its row of the table.
struct Session::CheckedPlaces {
  CheckedPlaces(const Row& row, const Request& request)
      : first(row.carries == Row::Carries::kSocket ? check_connect_place(request)
                                                   : check_place(request)) {
    if (row.carries == Row::Carries::kByBoth) second = check_second_place(request);
  }

  const char* broken() const { return first.broken != nullptr ? first.broken : second.broken; }
  int error() const { return first.error != 0 ? first.error : second.error; }

  CheckedPlace first;
  CheckedPlace second;
};

void Session::name_client(CheckedPlaces& places, pid_t client) const {
  for (files::Place* place : {&places.first.place, &places.second.place}) {
    place->client = client;
    if (peer_.launched == nullptr) continue;
    place->client = peer_.launched->number_inside(client);
    place->proc = peer_.launched->proc;
  }
}

// Where the answer to a request on the control socket goes. Null: nobody waits for it any more.
Session::Breach Session::named_channel(const Incoming& incoming, LinkPtr& channel) const {
  const std::uint32_t named = incoming.request.channel;
  if (named == 0 || named > last_channel_) return "a channel that never was";
  const auto found = channels_.find(named);
  // The process that asked may be dead and its channel gone by the time this is read.
  if (found != channels_.end()) channel = found->second;
  return nullptr;
}

Session::Breach Session::check_free(Link& channel) {
  if (channel.job != nullptr) return "a second request on a busy channel";
  if (!channel.queue.empty()) return "a request before the last answer was read";
  if (hoards(channel)) return "it does not receive the descriptors it asked for";
  return nullptr;
}

Session::Breach Session::request(const LinkPtr& link, Incoming& incoming) {
  if (!link->is_control()) {
    if (incoming.request.channel != 0) return "a channel named on a channel";
    return request_on(link, incoming, false);
  }
  LinkPtr channel;
  const Breach breach = named_channel(incoming, channel);
  return breach != nullptr || channel == nullptr ? breach : request_on(channel, incoming, true);
}

Session::Breach Session::request_on(const LinkPtr& channel, Incoming& incoming, bool with_fd) {
  if (const Breach breach = check_free(*channel); breach != nullptr) return breach;
  const Request& request = incoming.request;
  CheckedPlaces checked(incoming.row, request);
  if (checked.broken() != nullptr) return checked.broken();
  ++requests_;
  const bool lacks_fd = with_fd && incoming.fd_lost;
  if (lacks_fd || checked.error() != 0) {
    answer_error(channel, request.sequence, lacks_fd ? ENFILE : checked.error());
    return nullptr;
  }
  name_client(checked, incoming.client);
  const Asked asked{&request, checked.first.place, incoming.fd.get(), checked.second.place,
                    incoming.second_fd.get()};
  files::Outcome outcome =
      incoming.row.call->perform(*services_.files, *policy_, asked, files::Wait::kNever);
  if (outcome.would_block) {
    perform_slowly(channel, incoming, asked);
    return nullptr;
  }
  finish(channel, incoming.row, request.sequence, incoming.client, outcome);
  if (incoming.second_fd && services_.files->closes_at_once(incoming.second_fd.get())) {
    incoming.second_fd.reset();
  }
  if (incoming.fd) {
    // Of the client's own descriptor the outcome may be a duplicate.
    if (checked.first.place.base != files::Place::Base::kFd) discard(std::move(outcome.fd));
    if (services_.files->closes_at_once(incoming.fd.get())) incoming.fd.reset();
  }
  return nullptr;
}

// On a thread of the pool, with copies of its own of everything: the session may end meanwhile.
void Session::perform_slowly(const LinkPtr& channel, const Incoming& incoming, const Asked& asked) {
  const std::uint32_t sequence = incoming.request.sequence;
  if (slow_requests_ >= kMaxSlowRequests) {
    answer_error(channel, sequence, ENFILE);
    return;
  }
  struct Slow {
    std::string bytes;
    Request request;  // in the bytes
    Fd fd;
    Fd second_fd;
    Asked asked;
    Sender sender;
  };
  auto slow = std::make_shared<Slow>(std::string(incoming.bytes), Request{}, std::move(incoming.fd),
                                     std::move(incoming.second_fd), asked, Sender(incoming.client));
  read_request(slow->bytes, slow->request);
  CheckedPlaces checked(incoming.row, slow->request);
  name_client(checked, incoming.client);
  slow->asked.request = &slow->request;
  slow->asked.place = checked.first.place;
  slow->asked.second = checked.second.place;

  auto work = [self = shared_from_this(), channel = LinkPtr(channel), row = &incoming.row,
               client = incoming.client, files = services_.files, policy = policy_,
               closing = closing_, slow](bool cancelled) mutable {
    files::Outcome outcome;
    outcome.error = EINTR;
    if (!cancelled) {
      outcome = row->call->perform(*files, *policy, slow->asked, files::Wait::kMayBlock);
    }
    const std::uint32_t number = slow->request.sequence;
    if (slow->sender.is_gone()) {
      if (outcome.fd) closing.close(std::move(outcome.fd));
      outcome = files::Outcome{};
      outcome.error = ESRCH;
    }
    for (Fd* fd : {&slow->fd, &slow->second_fd}) {
      if (*fd) closing.close(std::move(*fd));
    }
    slow.reset();
    Loop& loop = self->loop_;
    loop.post([self = std::move(self), channel = std::move(channel), row, client, number,
               outcome = std::move(outcome)]() mutable {
      --self->slow_requests_;
      channel->job = nullptr;
      if (!self->ended_ && channel->is_open()) {
        self->finish(channel, *row, number, client, outcome);
      }
      self->discard(std::move(outcome.fd));
    });
  };
  SlowPool::Time at_most;
  if (incoming.row.carries == Row::Carries::kSocket) at_most = kMaxConnectTime;
  auto job = services_.slow_pool.submit(peer_.pid, std::move(work), at_most);
  if (job == nullptr) {
    discard(std::move(slow->fd));
    discard(std::move(slow->second_fd));
    answer_error(channel, sequence, ENFILE);
    return;
  }
  ++slow_requests_;
  channel->job = std::move(job);
  channel->job_sequence = sequence;
  wire::BrokerMessage& message = workspace_.decoder.new_answer();
  message.mutable_reply()->set_sequence(sequence);
  message.mutable_reply()->set_pending(true);
  answer(channel, message, {});
}

void Session::finish(const LinkPtr& channel, const Row& row, std::uint32_t sequence, pid_t client,
                     files::Outcome& outcome) {
  recorder_.denial(row.kind, client, outcome);
  const std::span<Fd> fds(&outcome.fd, outcome.fd ? 1U : 0U);
  if (outcome.error != 0 || row.call->answer == nullptr) {
    answer_result(channel, sequence, -outcome.error, outcome.error != 0 ? std::span<Fd>{} : fds);
    return;
  }
  wire::BrokerMessage& message = workspace_.decoder.new_answer();
  wire::Reply& reply = *message.mutable_reply();
  reply.set_sequence(sequence);
  row.call->answer(outcome, reply);
  answer(channel, message, fds);
}

// One that comes after the answer went out is late, not wrong.
Session::Breach Session::cancel(const LinkPtr& link, Incoming& incoming) {
  if (link->job == nullptr) return nullptr;
  if (incoming.message->cancel().sequence() != link->job_sequence) {
    return "of a request that is not under way";
  }
  services_.slow_pool.cancel(link->job);
  return nullptr;
}

}  // namespace torno::session
