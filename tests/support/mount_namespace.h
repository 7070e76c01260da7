// A mount namespace of the calling process's own, for tests that mount.
#pragma once

namespace torno::test {

// Enters one where no mount of the process is seen outside. An ordinary user gets it with a user
// namespace in which his ids are mapped: without, nothing can be created on what he mounts
// (EOVERFLOW). False where the kernel refuses either; it wants a process of one thread.
bool enter_mount_namespace();

}  // namespace torno::test
