// The calls that make, remove, rename and change what a path names, and statfs.
#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "broker/policy/quantity.h"
#include "broker/session/perform.h"

namespace torno::session {
namespace {

using files::Files;
using files::Outcome;
using files::Wait;
using policy::PolicyStack;

Outcome failed(int error) {
  Outcome outcome;
  outcome.error = error;
  return outcome;
}

std::uint32_t flags_of(const Asked& asked) {
  return static_cast<std::uint32_t>(asked.request->flags);
}

Outcome mkdir(const Files& files, const PolicyStack& policy, const Asked& asked, Wait wait) {
  return files.mkdir(policy, {place_of(asked), asked.request->mode}, wait);
}

Outcome mknod(const Files& files, const PolicyStack& policy, const Asked& asked, Wait wait) {
  return files.mknod(policy, {place_of(asked), asked.request->mode}, wait);
}

Outcome unlink(const Files& files, const PolicyStack& policy, const Asked& asked, Wait wait) {
  const bool directory = (flags_of(asked) & AT_REMOVEDIR) != 0;
  return files.remove(policy, {place_of(asked), directory}, wait);
}

Outcome rmdir(const Files& files, const PolicyStack& policy, const Asked& asked, Wait wait) {
  return files.remove(policy, {place_of(asked), true}, wait);
}

Outcome rename(const Files& files, const PolicyStack& policy, const Asked& asked, Wait wait) {
  return files.rename(policy, {place_of(asked), second_place_of(asked), flags_of(asked)}, wait);
}

Outcome link(const Files& files, const PolicyStack& policy, const Asked& asked, Wait wait) {
  return files.link(policy, {place_of(asked), second_place_of(asked), flags_of(asked)}, wait);
}

Outcome symlink(const Files& files, const PolicyStack& policy, const Asked& asked, Wait wait) {
  const std::string_view text = asked.request->second_path;
  return files.symlink(policy, {text.substr(0, text.find('\0')), place_of(asked)}, wait);
}

Outcome chmod(const Files& files, const PolicyStack& policy, const Asked& asked, Wait wait) {
  return files.chmod(policy, {place_of(asked), asked.request->mode, flags_of(asked)}, wait);
}

Outcome chown(const Files& files, const PolicyStack& policy, const Asked& asked, Wait wait) {
  const Request& request = *asked.request;
  return files.chown(policy, {place_of(asked), request.user, request.group, flags_of(asked)}, wait);
}

Outcome utimensat(const Files& files, const PolicyStack& policy, const Asked& asked, Wait wait) {
  return files.set_times(policy, {place_of(asked), asked.request->times, flags_of(asked)}, wait);
}

// By RLIMIT_FSIZE the kernel holds writers of a file; the broker that makes one longer, so that it
// can be written through a mapping, has no such limit.
bool is_too_large(const PolicyStack& policies, std::uint64_t size) {
  return std::ranges::any_of(policies.policies(), [size](const policy::PolicyPtr& policy) {
    const policy::Limit& limit = policy->merged().limit();
    return limit.has_file_size() && size > policy::parse_size(limit.file_size()).value_or(0);
  });
}

Outcome truncate(const Files& files, const PolicyStack& policy, const Asked& asked, Wait wait) {
  if (is_too_large(policy, asked.request->size)) return failed(EFBIG);
  const auto size = static_cast<std::int64_t>(asked.request->size);
  return files.truncate(policy, {place_of(asked), size}, wait);
}

Outcome statfs(const Files& files, const PolicyStack& policy, const Asked& asked, Wait wait) {
  return files.statfs(policy, {place_of(asked)}, wait);
}

void answer_statfs(const Outcome& outcome, wire::Reply& reply) {
  const struct statfs& from = outcome.file_system;
  wire::StatfsResult& to = *reply.mutable_statfs();
  std::uint64_t id = 0;
  static_assert(sizeof id == sizeof from.f_fsid);
  std::memcpy(&id, &from.f_fsid, sizeof id);
  to.set_type(static_cast<std::uint64_t>(from.f_type));
  to.set_bsize(static_cast<std::uint64_t>(from.f_bsize));
  to.set_blocks(from.f_blocks);
  to.set_bfree(from.f_bfree);
  to.set_bavail(from.f_bavail);
  to.set_files(from.f_files);
  to.set_ffree(from.f_ffree);
  to.set_fsid(id);
  to.set_namelen(static_cast<std::uint64_t>(from.f_namelen));
  to.set_frsize(static_cast<std::uint64_t>(from.f_frsize));
  to.set_flags(static_cast<std::uint64_t>(from.f_flags));
}

}  // namespace

const Call kMkdirCall{mkdir, nullptr};
const Call kMknodCall{mknod, nullptr};
const Call kUnlinkCall{unlink, nullptr};
const Call kRmdirCall{rmdir, nullptr};
const Call kRenameCall{rename, nullptr};
const Call kLinkCall{link, nullptr};
const Call kSymlinkCall{symlink, nullptr};
const Call kChmodCall{chmod, nullptr};
const Call kChownCall{chown, nullptr};
const Call kUtimensatCall{utimensat, nullptr};
const Call kTruncateCall{truncate, nullptr};
const Call kStatfsCall{statfs, answer_statfs};

}  // namespace torno::session
