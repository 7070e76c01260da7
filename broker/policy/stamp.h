// Stamp: what a name led to when a policy was read, so that a change of the file is seen without
// reading it again.
#pragma once

#include <sys/stat.h>
#include <time.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace torno::policy {

class Stamp {
 public:
  // There is no file of that name.
  static Stamp of_nothing(std::string path);

  // `status` is what fstat said before `text` was read, so that a change in between shows later.
  static Stamp of_file(std::string path, const struct stat& status, std::string_view text);

  // Whether the name still leads to that file, and the file is what it was. Looks at the file
  // system, and so may take as long as that does.
  bool holds() const;

 private:
  struct Identity {
    dev_t device = 0;
    ino_t inode = 0;
    off_t size = 0;
    timespec modified{};
    timespec changed{};
  };
  static Identity identity_of(const struct stat& status);

  std::string path_;
  bool exists_ = false;
  Identity identity_;
  // The file had been changed so shortly before that a further change may have left all of the
  // identity as it was, within one tick of the file system's clock. Then its text is compared.
  bool young_ = false;
  std::size_t digest_ = 0;
};

// Of every name that was looked at for one policy.
using Stamps = std::vector<Stamp>;

}  // namespace torno::policy
