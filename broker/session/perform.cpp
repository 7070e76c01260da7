#include "broker/session/perform.h"

#include "broker/network/network.h"

namespace torno::session {
namespace {

using files::Files;
using files::Outcome;
using files::Wait;
using policy::PolicyStack;

Outcome open(const Files& files, const PolicyStack& policy, const Asked& asked, Wait wait) {
  const Request& open = *asked.request;
  return files.open(policy, {place_of(asked), open.flags, open.mode, open.resolve}, wait);
}

Outcome stat(const Files& files, const PolicyStack& policy, const Asked& asked, Wait wait) {
  const auto flags = static_cast<std::uint32_t>(asked.request->flags);
  return files.stat(policy, {place_of(asked), flags, asked.request->mask}, wait);
}

Outcome access(const Files& files, const PolicyStack& policy, const Asked& asked, Wait wait) {
  const auto flags = static_cast<std::uint32_t>(asked.request->flags);
  return files.access(policy, {place_of(asked), asked.request->mode, flags}, wait);
}

Outcome readlink(const Files& files, const PolicyStack& policy, const Asked& asked, Wait wait) {
  return files.readlink(policy, {place_of(asked), static_cast<std::uint32_t>(asked.request->size)},
                        wait);
}

Outcome connect(const Files& files, const PolicyStack& policy, const Asked& asked, Wait wait) {
  network::ConnectOutcome connected =
      network::connect(files, policy, {asked.fd, asked.request->path, asked.place}, wait);
  Outcome outcome;
  outcome.error = connected.error;
  outcome.would_block = connected.would_block;
  outcome.denial = std::move(connected.denial);
  return outcome;
}

void answer_stat(const Outcome& outcome, wire::Reply& reply) {
  const struct statx& from = outcome.stat;
  wire::StatResult& to = *reply.mutable_stat();
  to.set_mask(from.stx_mask);
  to.set_blksize(from.stx_blksize);
  to.set_attributes(from.stx_attributes);
  to.set_nlink(from.stx_nlink);
  to.set_uid(from.stx_uid);
  to.set_gid(from.stx_gid);
  to.set_mode(from.stx_mode);
  to.set_ino(from.stx_ino);
  to.set_size(from.stx_size);
  to.set_blocks(from.stx_blocks);
  to.set_attributes_mask(from.stx_attributes_mask);
  to.set_atime_sec(from.stx_atime.tv_sec);
  to.set_atime_nsec(from.stx_atime.tv_nsec);
  to.set_btime_sec(from.stx_btime.tv_sec);
  to.set_btime_nsec(from.stx_btime.tv_nsec);
  to.set_ctime_sec(from.stx_ctime.tv_sec);
  to.set_ctime_nsec(from.stx_ctime.tv_nsec);
  to.set_mtime_sec(from.stx_mtime.tv_sec);
  to.set_mtime_nsec(from.stx_mtime.tv_nsec);
  to.set_rdev_major(from.stx_rdev_major);
  to.set_rdev_minor(from.stx_rdev_minor);
  to.set_dev_major(from.stx_dev_major);
  to.set_dev_minor(from.stx_dev_minor);
  to.set_mnt_id(from.stx_mnt_id);
}

void answer_readlink(const Outcome& outcome, wire::Reply& reply) {
  reply.set_target(outcome.target);
  reply.set_result(static_cast<std::int32_t>(outcome.target.size()));
}

}  // namespace

const Call kOpenCall{open, nullptr};
const Call kStatCall{stat, answer_stat};
const Call kAccessCall{access, nullptr};
const Call kReadlinkCall{readlink, answer_readlink};
const Call kConnectCall{connect, nullptr};

}  // namespace torno::session
