// Files: performs file requests the resolve, decide, act way (docs/one-open.md).
//
// Thread safety: one Files may be used by any number of threads at once. Only the process that made
// it can use it, not its forks. That process has umask 0: modes arrive masked by the client.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "broker/base/error.h"
#include "broker/base/fd.h"
#include "broker/files/outcome.h"
#include "broker/files/request.h"
#include "broker/policy/policy.h"

namespace torno::files {

// Whether the calling thread may be held: never on an io thread.
enum class Wait { kNever, kMayBlock };

class Files {
 public:
  // `protected_paths`: sockets and policy directories of the broker; whatever has one of their
  // inodes, or lies beneath one, is refused whatever the policy says.
  static Result<Files> create(const std::vector<std::string>& protected_paths);
  Files(Files&&) noexcept;
  Files& operator=(Files&&) noexcept;
  ~Files();

  // Before the first request: what lies at this canonical path is what the directory holds, an
  // O_PATH descriptor of a tmpfs.
  Result<void> mount(std::string path, Fd directory);

  Outcome open(const policy::PolicyStack& policy, const OpenRequest& request, Wait wait) const;
  Outcome stat(const policy::PolicyStack& policy, const StatRequest& request, Wait wait) const;
  Outcome access(const policy::PolicyStack& policy, const AccessRequest& request, Wait wait) const;
  Outcome readlink(const policy::PolicyStack& policy, const ReadlinkRequest& request,
                   Wait wait) const;

  Outcome mkdir(const policy::PolicyStack& policy, const MakeRequest& request, Wait wait) const;
  Outcome mknod(const policy::PolicyStack& policy, const MakeRequest& request, Wait wait) const;
  Outcome remove(const policy::PolicyStack& policy, const RemoveRequest& request, Wait wait) const;
  Outcome rename(const policy::PolicyStack& policy, const RenameRequest& request, Wait wait) const;
  Outcome link(const policy::PolicyStack& policy, const LinkRequest& request, Wait wait) const;
  Outcome symlink(const policy::PolicyStack& policy, const SymlinkRequest& request,
                  Wait wait) const;
  Outcome chmod(const policy::PolicyStack& policy, const ChmodRequest& request, Wait wait) const;
  Outcome chown(const policy::PolicyStack& policy, const ChownRequest& request, Wait wait) const;
  Outcome set_times(const policy::PolicyStack& policy, const TimesRequest& request,
                    Wait wait) const;
  Outcome truncate(const policy::PolicyStack& policy, const TruncateRequest& request,
                   Wait wait) const;
  Outcome statfs(const policy::PolicyStack& policy, const StatfsRequest& request, Wait wait) const;

  // An O_PATH descriptor of the unix socket at `place`, for connect, and its canonical path in
  // Outcome::target. Makes no verdict about connecting: that is the caller's, on the target. A
  // path whose way is not visible is denied as in stat. The broker's own sockets are refused.
  Outcome pin_socket(const policy::PolicyStack& policy, const Place& place, Wait wait) const;

  // Does close(2) of this descriptor, whoever made it, wait for nobody but this kernel?
  bool closes_at_once(int fd) const;
  // Or at most for a disk of this machine, as that of a file whose last name is gone?
  bool closes_soon(int fd) const;

 private:
  struct State;
  explicit Files(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace torno::files
