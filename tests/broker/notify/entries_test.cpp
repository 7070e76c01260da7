// Every call that makes, removes, renames or changes what a path names, outside and under the
// supervisor: each result and errno value, and what the tree looks like afterwards.
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/vfs.h>
#include <utime.h>

#include <array>
#include <cerrno>
#include <functional>
#include <string>
#include <vector>

#include "tests/broker/notify/twice.h"

namespace torno::notify::test {
namespace {

constexpr int kFchmodat2 = 452;

using Act = std::function<long(const char*)>;

template <typename... Arguments>
long raw(long number, Arguments... arguments) {
  return ::syscall(number, arguments...);
}

class NotifyEntries : public Twice {
 protected:
  static std::vector<std::string> names() {
    std::vector<std::string> all(std::begin(kNames), std::end(kNames));
    for (const std::size_t size : {255U, 256U, 4096U}) all.emplace_back(size, 'n');
    all.push_back(std::string("dir/").append(256, 'n'));
    all.push_back(std::string("dir").append(4080, '/').append("new"));
    return all;
  }

  // A tree of its own for each act, made by the body itself.
  void plant(Record& record, const std::string& tree) const {
    record.result(::mkdir(tree.c_str(), 0755));
    for (const char* directory : {"/dir", "/empty"}) {
      record.result(::mkdir((tree + directory).c_str(), 0755));
    }
    for (const char* file : {"/file", "/dir/inner", "/other"}) {
      const int fd = ::open((tree + file).c_str(), O_CREAT | O_WRONLY, 0644);
      record.result(fd < 0 ? -1 : 0);
      record.result(::write(fd, "content", 7));
      ::close(fd);
    }
    record.result(::symlink("file", (tree + "/link").c_str()));
    record.result(::symlink("dir", (tree + "/dirlink").c_str()));
    record.result(::symlink("nothing", (tree + "/dangling").c_str()));
    record.result(::symlink("loop", (tree + "/loop").c_str()));
    record.result(::mkfifo((tree + "/fifo").c_str(), 0600));
  }

  static void look(Record& record, const std::string& tree) {
    for (const char* name :
         {"", "/dir", "/dir/inner", "/dir/new", "/empty", "/file", "/other", "/link", "/dirlink",
          "/dangling", "/loop", "/fifo", "/nothing", "/new", "/nothing/new"}) {
      struct stat status{};
      record.result(::lstat((tree + name).c_str(), &status));
      record.number(status.st_mode);
      record.number(static_cast<long>(status.st_nlink));
      record.number(static_cast<long>(status.st_uid));
      if (S_ISREG(status.st_mode)) {
        record.number(status.st_size);
        if (status.st_mtim.tv_sec < 1000) record.number(status.st_mtim.tv_nsec);
      }
    }
  }

  void expect_same_acts(const std::vector<Act>& acts) {
    for (const Act& act : acts) {
      expect_same([&](Record& record) {
        int number = 0;
        for (const std::string& name : names()) {
          const std::string tree = path("t" + std::to_string(number++));
          plant(record, tree);
          if (::chdir(tree.c_str()) != 0) return;
          record.result(act(name.c_str()));
          // And by the whole path.
          const bool whole = !name.empty() && name.front() != '/' && name.size() < 300;
          if (whole) record.result(act((tree + "/" + name).c_str()));
          look(record, tree);
        }
      });
    }
  }

  static constexpr const char* kNames[] = {
      "file",   "dir",         "empty",         "link",           "dirlink",    "dangling",
      "loop",   "fifo",        "nothing",       "file/",          "dir/",       "empty//",
      "link/",  "dirlink/",    "dangling/",     "nothing/",       "dir/.",      "dir/..",
      ".",      "..",          "dir/inner",     "dir/new",        "dir/../new", "file/x",
      "link/x", "nothing/new", "dirlink/inner", "dirlink/../new", "loop/x",     ""};
};

TEST_F(NotifyEntries, MakeDirectories) {
  expect_same_acts({[](const char* name) { return raw(SYS_mkdir, name, 0777); },
                    [](const char* name) { return raw(SYS_mkdirat, AT_FDCWD, name, 0700); },
                    [](const char* name) { return raw(SYS_mkdir, name, 06755); }});
}

TEST_F(NotifyEntries, MakeNodes) {
  expect_same_acts({[](const char* name) { return raw(SYS_mknod, name, S_IFREG | 0666, 0); },
                    [](const char* name) { return raw(SYS_mknodat, AT_FDCWD, name, 0640, 0); },
                    [](const char* name) { return raw(SYS_mknod, name, S_IFIFO | 0666, 0); }});
}

TEST_F(NotifyEntries, Remove) {
  expect_same_acts(
      {[](const char* name) { return raw(SYS_unlink, name); },
       [](const char* name) { return raw(SYS_unlinkat, AT_FDCWD, name, 0); },
       [](const char* name) { return raw(SYS_unlinkat, AT_FDCWD, name, AT_REMOVEDIR); },
       [](const char* name) { return raw(SYS_unlinkat, AT_FDCWD, name, 1); },
       [](const char* name) { return raw(SYS_rmdir, name); }});
}

TEST_F(NotifyEntries, RenameFrom) {
  for (const char* to : {"new", "other", "empty", "dir", "dir/new", "nothing/", "new/", ".",
                         "file/new", "dirlink/new", "dangling", "fifo", ""}) {
    expect_same_acts({[to](const char* name) { return raw(SYS_rename, name, to); }});
  }
}

TEST_F(NotifyEntries, RenameTo) {
  for (const char* from : {"other", "empty", "link", "dir/", "nothing", "..", "fifo"}) {
    expect_same_acts(
        {[from](const char* name) { return raw(SYS_renameat, AT_FDCWD, from, AT_FDCWD, name); }});
  }
}

TEST_F(NotifyEntries, RenameWithFlags) {
  for (const unsigned flags : {unsigned{RENAME_NOREPLACE}, unsigned{RENAME_EXCHANGE},
                               unsigned{RENAME_NOREPLACE | RENAME_EXCHANGE}, 64U}) {
    expect_same_acts({[flags](const char* name) {
                        return raw(SYS_renameat2, AT_FDCWD, name, AT_FDCWD, "other", flags);
                      },
                      [flags](const char* name) {
                        return raw(SYS_renameat2, AT_FDCWD, "dir", AT_FDCWD, name, flags);
                      }});
  }
}

TEST_F(NotifyEntries, Link) {
  expect_same_acts(
      {[](const char* name) { return raw(SYS_link, name, "new"); },
       [](const char* name) { return raw(SYS_link, "other", name); },
       [](const char* name) { return raw(SYS_linkat, AT_FDCWD, name, AT_FDCWD, "dir/new", 0); },
       [](const char* name) {
         return raw(SYS_linkat, AT_FDCWD, name, AT_FDCWD, "new", AT_SYMLINK_FOLLOW);
       },
       [](const char* name) { return raw(SYS_linkat, AT_FDCWD, name, AT_FDCWD, "new", 1); }});
}

TEST_F(NotifyEntries, Symlink) {
  expect_same_acts({[](const char* name) { return raw(SYS_symlink, "text of it", name); },
                    [](const char* name) { return raw(SYS_symlinkat, "/", AT_FDCWD, name); },
                    [](const char* name) { return raw(SYS_symlink, name, "new"); }});
}

TEST_F(NotifyEntries, ChangeModes) {
  expect_same_acts(
      {[](const char* name) { return raw(SYS_chmod, name, 0600); },
       [](const char* name) { return raw(SYS_fchmodat, AT_FDCWD, name, 0751); },
       [](const char* name) { return raw(kFchmodat2, AT_FDCWD, name, 0700, AT_SYMLINK_NOFOLLOW); },
       [](const char* name) { return raw(kFchmodat2, AT_FDCWD, name, 0700, 0x10); }});
}

TEST_F(NotifyEntries, ChangeOwners) {
  const auto user = ::geteuid();
  const auto group = ::getegid();
  expect_same_acts(
      {[=](const char* name) { return raw(SYS_chown, name, user, group); },
       [=](const char* name) { return raw(SYS_lchown, name, -1, group); },
       [=](const char* name) { return raw(SYS_fchownat, AT_FDCWD, name, user, -1, 0); },
       [=](const char* name) { return raw(SYS_lchown, name, 1, 1); },
       [=](const char* name) { return raw(SYS_fchownat, AT_FDCWD, name, 1, 1, 0x10); }});
}

TEST_F(NotifyEntries, ChangeTimes) {
  static const std::array<timespec, 2> times = {timespec{1, 5}, timespec{2, 6}};
  static const std::array<timespec, 2> bad = {timespec{1, -1}, timespec{2, 2'000'000'000}};
  static const std::array<timespec, 2> half = {timespec{1, UTIME_OMIT}, timespec{3, 7}};
  static const std::array<timeval, 2> values = {timeval{1, 5}, timeval{2, 6}};
  static const std::array<timeval, 2> bad_values = {timeval{1, 5}, timeval{2, 1'000'000}};
  static const utimbuf buffer{7, 8};
  const auto at = [](const char* name, const timespec* time, int flags) {
    return raw(SYS_utimensat, AT_FDCWD, name, time, flags);
  };
  expect_same_acts(
      {[=](const char* name) { return at(name, times.data(), 0); },
       [=](const char* name) { return at(name, times.data(), AT_SYMLINK_NOFOLLOW); },
       [=](const char* name) { return at(name, half.data(), 0); },
       [=](const char* name) { return at(name, bad.data(), 0); },
       [=](const char* name) { return at(name, nullptr, 0); },
       [=](const char* name) { return at(name, times.data(), 0x10); },
       [](const char* name) { return raw(SYS_utimes, name, values.data()); },
       [](const char* name) { return raw(SYS_utimes, name, bad_values.data()); },
       [](const char* name) { return raw(SYS_futimesat, AT_FDCWD, name, values.data()); },
       [](const char* name) { return raw(SYS_utime, name, &buffer); },
       [](const char* name) { return raw(SYS_utime, name, nullptr); }});
}

TEST_F(NotifyEntries, TruncateAndStatfs) {
  expect_same_acts({[](const char* name) { return raw(SYS_truncate, name, 3L); },
                    [](const char* name) { return raw(SYS_truncate, name, 9000L); },
                    [](const char* name) { return raw(SYS_truncate, name, -1L); },
                    [](const char* name) {
                      struct statfs found{};
                      const long result = raw(SYS_statfs, name, &found);
                      return result != 0 ? result : found.f_type;
                    }});
}

TEST_F(NotifyEntries, Pointers) {
  expect_same([&](Record& record) {
    if (::chdir(root_.path().c_str()) != 0) return;
    const auto bad = reinterpret_cast<const char*>(8);
    for (const char* pointer : {static_cast<const char*>(nullptr), bad}) {
      record.result(raw(SYS_mkdir, pointer, 0700));
      record.result(raw(SYS_rmdir, pointer));
      record.result(raw(SYS_unlink, pointer));
      record.result(raw(SYS_rename, pointer, "new"));
      record.result(raw(SYS_rename, "file", pointer));
      record.result(raw(SYS_link, "file", pointer));
      record.result(raw(SYS_symlink, pointer, "new"));
      record.result(raw(SYS_symlink, "text", pointer));
      record.result(raw(SYS_chmod, pointer, 0700));
      record.result(raw(SYS_lchown, pointer, 0, 0));
      record.result(raw(SYS_truncate, pointer, 0L));
      record.result(raw(SYS_utimensat, AT_FDCWD, pointer, nullptr, 0));
      record.result(raw(SYS_utimensat, -1, pointer, nullptr, 0));
      record.result(raw(SYS_utimensat, -1, pointer, nullptr, AT_SYMLINK_NOFOLLOW));
      record.result(raw(SYS_statfs, pointer, nullptr));
      record.result(raw(SYS_statfs, "file", pointer));
    }
    record.result(raw(SYS_utimensat, AT_FDCWD, "file", 8L, 0));
    record.result(raw(SYS_utimes, "file", 8L));
    record.result(raw(SYS_utime, "file", 8L));
  });
}

TEST_F(NotifyEntries, ByDescriptors) {
  expect_same([&](Record& record) {
    const int directory = static_cast<int>(raw(SYS_open, path("dir").c_str(), O_RDONLY));
    const int pathless = static_cast<int>(raw(SYS_open, path("dir").c_str(), O_PATH));
    const int file = static_cast<int>(raw(SYS_open, path("file").c_str(), O_RDONLY));
    const int seen = static_cast<int>(raw(SYS_open, path("file").c_str(), O_PATH));
    const int written = static_cast<int>(raw(SYS_open, path("file").c_str(), O_WRONLY));
    const int deleted =
        static_cast<int>(raw(SYS_open, path("gone").c_str(), O_CREAT | O_RDWR, 0600));
    record.result(raw(SYS_unlink, path("gone").c_str()));
    int ends[2];
    record.result(::pipe(ends));
    int number = 0;
    for (const int at : {directory, pathless, file, seen, written, deleted, ends[1], -1, 999}) {
      const std::string name = "n" + std::to_string(number++);
      const std::string moved = name + "-moved";
      record.result(raw(SYS_mkdirat, at, name.c_str(), 0750));
      record.result(raw(SYS_renameat, at, name.c_str(), at, moved.c_str()));
      record.result(raw(SYS_renameat, AT_FDCWD, path("nothing").c_str(), at, moved.c_str()));
      record.result(raw(SYS_renameat, at, moved.c_str(), AT_FDCWD, path(name).c_str()));
      record.result(raw(SYS_symlinkat, "text", at, name.c_str()));
      record.result(raw(SYS_linkat, at, "inner", directory, (name + "-link").c_str(), 0));
      record.result(raw(SYS_linkat, directory, "inner", at, (name + "-other").c_str(), 0));
      record.result(raw(SYS_unlinkat, at, name.c_str(), 0));
      record.result(raw(SYS_fchmod, at, 0640));
      record.result(raw(SYS_fchmodat, at, "inner", 0604));
      record.result(raw(SYS_fchown, at, -1, -1));
      record.result(raw(SYS_utimensat, at, nullptr, nullptr, 0));
      record.result(raw(SYS_utimensat, at, "inner", nullptr, 0));
      record.result(raw(SYS_futimesat, at, nullptr, nullptr));
      record.result(raw(kFchmodat2, at, "", 0600, AT_EMPTY_PATH));
      record.result(raw(SYS_fchownat, at, "", -1, -1, AT_EMPTY_PATH));
      struct stat status{};
      record.result(::fstat(at, &status));
      record.number(status.st_mode);
    }
    const std::string own = "/proc/self/fd/" + std::to_string(file);
    record.result(raw(SYS_chmod, own.c_str(), 0611));
    record.result(raw(SYS_truncate, own.c_str(), 2L));
    struct stat status{};
    record.result(::stat(path("file").c_str(), &status));
    record.number(status.st_mode);
    record.number(status.st_size);
  });
}

}  // namespace
}  // namespace torno::notify::test
