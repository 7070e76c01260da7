#include "broker/files/files.h"

#include <utility>

#include "broker/files/call.h"

namespace torno::files {

struct Files::State {
  Foundation foundation;
};

Files::Files(std::unique_ptr<State> state) : state_(std::move(state)) {}
Files::Files(Files&&) noexcept = default;
Files& Files::operator=(Files&&) noexcept = default;
Files::~Files() = default;

Result<Files> Files::create(const std::vector<std::string>& protected_paths) {
  auto foundation = Foundation::lay(protected_paths);
  if (!foundation) return std::unexpected(foundation.error());
  return Files(std::make_unique<State>(std::move(*foundation)));
}

Result<void> Files::mount(std::string path, Fd directory) {
  struct statx stat{};
  if (const int error = identify(directory.get(), stat); error != 0) {
    return std::unexpected(system_error("cannot look at " + escape(path), error));
  }
  state_->foundation.local.add(stat.stx_mnt_id);
  state_->foundation.mounts.add(std::move(path), std::move(directory));
  return {};
}

Outcome Files::open(const policy::PolicyStack& policy, const OpenRequest& request,
                    Wait wait) const {
  return open_file({state_->foundation, policy, request.place, wait}, request);
}

Outcome Files::stat(const policy::PolicyStack& policy, const StatRequest& request,
                    Wait wait) const {
  return stat_file({state_->foundation, policy, request.place, wait}, request);
}

Outcome Files::access(const policy::PolicyStack& policy, const AccessRequest& request,
                      Wait wait) const {
  return access_file({state_->foundation, policy, request.place, wait}, request);
}

Outcome Files::readlink(const policy::PolicyStack& policy, const ReadlinkRequest& request,
                        Wait wait) const {
  return read_link({state_->foundation, policy, request.place, wait}, request);
}

Outcome Files::mkdir(const policy::PolicyStack& policy, const MakeRequest& request,
                     Wait wait) const {
  return make_directory({state_->foundation, policy, request.place, wait}, request);
}

Outcome Files::mknod(const policy::PolicyStack& policy, const MakeRequest& request,
                     Wait wait) const {
  return make_node({state_->foundation, policy, request.place, wait}, request);
}

Outcome Files::remove(const policy::PolicyStack& policy, const RemoveRequest& request,
                      Wait wait) const {
  return remove_entry({state_->foundation, policy, request.place, wait}, request);
}

Outcome Files::rename(const policy::PolicyStack& policy, const RenameRequest& request,
                      Wait wait) const {
  return rename_entry({state_->foundation, policy, request.from, wait}, request);
}

Outcome Files::link(const policy::PolicyStack& policy, const LinkRequest& request,
                    Wait wait) const {
  return link_file({state_->foundation, policy, request.from, wait}, request);
}

Outcome Files::symlink(const policy::PolicyStack& policy, const SymlinkRequest& request,
                       Wait wait) const {
  return make_symlink({state_->foundation, policy, request.place, wait}, request);
}

Outcome Files::chmod(const policy::PolicyStack& policy, const ChmodRequest& request,
                     Wait wait) const {
  return change_mode({state_->foundation, policy, request.place, wait}, request);
}

Outcome Files::chown(const policy::PolicyStack& policy, const ChownRequest& request,
                     Wait wait) const {
  return change_owner({state_->foundation, policy, request.place, wait}, request);
}

Outcome Files::set_times(const policy::PolicyStack& policy, const TimesRequest& request,
                         Wait wait) const {
  return change_times({state_->foundation, policy, request.place, wait}, request);
}

Outcome Files::truncate(const policy::PolicyStack& policy, const TruncateRequest& request,
                        Wait wait) const {
  return truncate_file({state_->foundation, policy, request.place, wait}, request);
}

Outcome Files::statfs(const policy::PolicyStack& policy, const StatfsRequest& request,
                      Wait wait) const {
  return stat_file_system({state_->foundation, policy, request.place, wait});
}

Outcome Files::pin_socket(const policy::PolicyStack& policy, const Place& place, Wait wait) const {
  return pin_socket_file({state_->foundation, policy, place, wait});
}

bool Files::closes_at_once(int fd) const {
  // A directory has nothing to be written back, and nobody lingers on it. But one without a name
  // goes with its last descriptor, and whatever it holds.
  struct statx stat{};
  if (identify(fd, stat) != 0 || stat.stx_nlink == 0) return false;
  if (!state_->foundation.local.contains(stat.stx_mnt_id)) return false;
  if (S_ISDIR(stat.stx_mode)) return true;
  const int flags = ::fcntl(fd, F_GETFL);
  return flags >= 0 && (flags & O_PATH) != 0;
}

bool Files::closes_soon(int fd) const {
  struct statx stat{};
  return identify(fd, stat) == 0 && state_->foundation.local.contains(stat.stx_mnt_id) &&
         (S_ISREG(stat.stx_mode) || S_ISDIR(stat.stx_mode));
}

}  // namespace torno::files
