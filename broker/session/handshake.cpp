#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "broker/session/policy_name.h"
#include "broker/session/session.h"
#include "broker/session/welcome.h"

namespace torno::session {
namespace {

// Variables of a Hello, or what is wrong with them.
Result<Variables> parse_variables(const wire::Hello& hello) {
  if (hello.variables_size() > kMaxVariables) {
    return std::unexpected(Error{"too many variables; at most 16"});
  }
  Variables variables;
  for (const std::string& assignment : hello.variables()) {
    const std::size_t equals = assignment.find('=');
    const std::string name = assignment.substr(0, equals);
    if (equals == std::string::npos || assignment.size() > kMaxVariable || !is_variable(name)) {
      return std::unexpected(
          Error{"'" + escape(assignment.substr(0, 64)) +
                "' is no variable; write NAME=VALUE with a name of A-Z, 0-9, _"});
    }
    variables.insert_or_assign(name, assignment.substr(equals + 1));
  }
  return variables;
}

}  // namespace

void Session::await_handshake() {
  handshake_timer_.expires_after(services_.settings.handshake_timeout);
  // Called on the clock's thread.
  handshake_timer_.async_wait(
      [&loop = loop_, session = weak_from_this()](boost::system::error_code error) {
        if (error) return;
        loop.post([session] {
          const auto self = session.lock();
          if (self != nullptr && self->state_ != kSealed) self->end();
        });
      });
}

Session::Breach Session::hello(const LinkPtr&, Incoming& incoming) {
  const wire::Hello& hello = incoming.message->hello();
  if (hello.min_version() > hello.max_version()) return "a range of versions that is empty";
  if (hello.max_version() < kMinVersion || hello.min_version() > kMaxVersion) {
    refuse({wire::Refused::REASON_VERSION,
            "no wire version in common: the sandboxee library speaks " +
                std::to_string(hello.min_version()) + " to " + std::to_string(hello.max_version()) +
                ", this broker " + std::to_string(kMinVersion) + " to " +
                std::to_string(kMaxVersion) + "; install the same release of both"});
    return nullptr;
  }
  if (refusal_) {
    refuse(*refusal_);
    return nullptr;
  }
  if (const auto refusal = check_hello(hello)) {
    refuse(*refusal);
    return nullptr;
  }
  if (peer_.launched != nullptr) {
    welcome(peer_.launched->ready);
  } else {
    choose_policy(hello.policy());
  }
  return nullptr;
}

// What is wrong with it, so far as can be said without looking at a policy.
std::optional<Refusal> Session::check_hello(const wire::Hello& hello) {
  const auto refused = [](std::string message) {
    return Refusal{wire::Refused::REASON_POLICY, std::move(message)};
  };
  const bool embedded = services_.settings.embedded;
  if (!is_policy_name(hello.policy()) && !(embedded && is_policy_path(hello.policy()))) {
    return refused(
        "'" + escape(hello.policy().substr(0, kMaxPolicyName)) +
        "' is no policy's name; a shared broker takes names of A-Z, a-z, 0-9, . _ - only");
  }
  if (hello.variables_size() > 0) {
    if (!embedded) {
      return refused("a shared broker takes no variables; write the values into the policy");
    }
    auto variables = parse_variables(hello);
    if (!variables) return refused(variables.error().message);
    for (auto& [name, value] : *variables) common_variables_.insert_or_assign(name, value);
  }
  return std::nullopt;
}

// On a thread of the pool: one that is loaded is looked at too, for its files may have changed.
void Session::choose_policy(const std::string& name) {
  auto work = [self = shared_from_this(), policies = services_.policies, name,
               common = common_variables_, own = own_variables_](bool cancelled) mutable {
    PolicyStore::Found found = std::unexpected(PolicyStore::Failure{false, "the broker ends"});
    if (!cancelled) found = policies->find(name, common, own);
    Loop& loop = self->loop_;
    loop.post([self = std::move(self), found = std::move(found)] {
      if (self->ended_) return;
      if (found) {
        self->welcome(*found);
      } else {
        self->refuse({wire::Refused::REASON_POLICY, found.error().message});
      }
    });
  };
  state_ = kChoosing;
  if (services_.slow_pool.submit(peer_.pid, std::move(work)) == nullptr) {
    refuse({wire::Refused::REASON_RESOURCES,
            "too much is under way for this process; try again later"});
  }
}

void Session::welcome(const ReadyPolicy& ready) {
  auto welcome = peer_.launched != nullptr ? make_launched_welcome(ready) : make_welcome(ready);
  if (!welcome) {
    refuse({wire::Refused::REASON_KERNEL, welcome.error().message});
    return;
  }
  policy_ = std::make_shared<const policy::PolicyStack>(ready.policy);
  recorder_.set_policy(policy_->name());
  layers_ = welcome->message.layers();
  state_ = kWelcomed;
  wire::BrokerMessage& message = workspace_.decoder.new_answer();
  *message.mutable_welcome() = std::move(welcome->message);
  answer(control_, message, welcome->fds);
}

void Session::refuse(const Refusal& refusal) {
  wire::BrokerMessage& message = workspace_.decoder.new_answer();
  wire::Refused& refused = *message.mutable_refused();
  refused.set_reason(refusal.reason);
  refused.set_message(refusal.message.substr(0, kMaxRefusal));
  refused.set_min_version(kMinVersion);
  refused.set_max_version(kMaxVersion);
  answer(control_, message, {});
  if (!services_.settings.embedded) {
    audit::Event event = recorder_.event(0);
    event.mutable_refused()->set_reason(refusal.message);
    recorder_.write(std::move(event));
  }
  end();
}

Session::Breach Session::sealed(const LinkPtr&, Incoming& incoming) {
  const std::uint32_t layers = incoming.message->sealed().layers();
  if ((layers & layers_) != layers_) return "a layer that Welcome asked for is missing";
  state_ = kSealed;
  handshake_timer_.cancel();
  if (peer_.launched != nullptr) peer_.launched->sealed = true;
  if (!services_.settings.embedded) {
    audit::Event started = recorder_.event(incoming.client);
    started.mutable_started()->set_layers(layers);
    recorder_.write(std::move(started));
  }
  return nullptr;
}

Session::Breach Session::new_channel(const LinkPtr& link, Incoming&) {
  wire::BrokerMessage& message = workspace_.decoder.new_answer();
  wire::ChannelReady& ready = *message.mutable_channel_ready();
  if (channels_.size() >= kMaxChannels) {
    ready.set_error(EMFILE);
    answer(link, message, {});
    return nullptr;
  }
  if (last_channel_ == UINT32_MAX) {  // no name is used twice
    ready.set_error(EMFILE);
    answer(link, message, {});
    return nullptr;
  }
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    ready.set_error(errno);
    answer(link, message, {});
    return nullptr;
  }
  Fd ours(ends[0]);
  Fd theirs(ends[1]);
  if (const int error = pass_credentials(ours.get()); error != 0) {
    ready.set_error(error);
    answer(link, message, {});
    return nullptr;
  }
  if (!services_.quota.take_channel(peer_.pid)) {
    ready.set_error(EMFILE);
    answer(link, message, {});
    return nullptr;
  }
  const auto channel = std::make_shared<Link>(last_channel_ + 1, std::move(ours));
  if (!listen(channel)) {
    services_.quota.give_channel(peer_.pid);
    ready.set_error(ENOMEM);
    answer(link, message, {});
    return nullptr;
  }
  ++last_channel_;
  channels_.emplace(channel->id, channel);
  ready.set_id(channel->id);
  answer(link, message, {&theirs, 1});
  return nullptr;
}

}  // namespace torno::session
