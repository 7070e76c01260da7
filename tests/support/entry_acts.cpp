#include "tests/support/entry_acts.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <utime.h>

#include <array>
#include <cerrno>

namespace torno::test {
namespace {

constexpr int kFchmodat2 = 452;

using Acts = std::vector<EntryAct>;

template <typename... Arguments>
long raw(long number, Arguments... arguments) {
  return ::syscall(number, arguments...);
}

constexpr const char* kNames[] = {
    "file",   "dir",         "empty",         "link",           "dirlink",    "dangling",
    "loop",   "fifo",        "nothing",       "file/",          "dir/",       "empty//",
    "link/",  "dirlink/",    "dangling/",     "nothing/",       "dir/.",      "dir/..",
    ".",      "..",          "dir/inner",     "dir/new",        "dir/../new", "file/x",
    "link/x", "nothing/new", "dirlink/inner", "dirlink/../new", "loop/x",     ""};

std::vector<std::string> names() {
  std::vector<std::string> all(std::begin(kNames), std::end(kNames));
  for (const std::size_t size : {255U, 256U, 4096U}) all.emplace_back(size, 'n');
  all.push_back(std::string("dir/").append(256, 'n'));
  all.push_back(std::string("dir").append(4080, '/').append("new"));
  return all;
}

void plant(EntryLog& record, const std::string& tree) {
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

void look(EntryLog& record, const std::string& tree) {
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

void add(Acts& all, const Acts& more) {
  all.insert(all.end(), more.begin(), more.end());
}

Acts make_directories() {
  return Acts{[](const char* name) { return raw(SYS_mkdir, name, 0777); },
              [](const char* name) { return raw(SYS_mkdirat, AT_FDCWD, name, 0700); },
              [](const char* name) { return raw(SYS_mkdir, name, 06755); }};
}

Acts make_nodes() {
  return Acts{[](const char* name) { return raw(SYS_mknod, name, S_IFREG | 0666, 0); },
              [](const char* name) { return raw(SYS_mknodat, AT_FDCWD, name, 0640, 0); },
              [](const char* name) { return raw(SYS_mknod, name, S_IFIFO | 0666, 0); }};
}

Acts remove() {
  return Acts{[](const char* name) { return raw(SYS_unlink, name); },
              [](const char* name) { return raw(SYS_unlinkat, AT_FDCWD, name, 0); },
              [](const char* name) { return raw(SYS_unlinkat, AT_FDCWD, name, AT_REMOVEDIR); },
              [](const char* name) { return raw(SYS_unlinkat, AT_FDCWD, name, 1); },
              [](const char* name) { return raw(SYS_rmdir, name); }};
}

Acts rename_from() {
  Acts all;
  for (const char* to : {"new", "other", "empty", "dir", "dir/new", "nothing/", "new/", ".",
                         "file/new", "dirlink/new", "dangling", "fifo", ""}) {
    add(all, {[to](const char* name) { return raw(SYS_rename, name, to); }});
  }
  return all;
}

Acts rename_to() {
  Acts all;
  for (const char* from : {"other", "empty", "link", "dir/", "nothing", "..", "fifo"}) {
    add(all,
        {[from](const char* name) { return raw(SYS_renameat, AT_FDCWD, from, AT_FDCWD, name); }});
  }
  return all;
}

Acts rename_with_flags() {
  Acts all;
  for (const unsigned flags : {unsigned{RENAME_NOREPLACE}, unsigned{RENAME_EXCHANGE},
                               unsigned{RENAME_NOREPLACE | RENAME_EXCHANGE}, 64U}) {
    add(all, {[flags](const char* name) {
                return raw(SYS_renameat2, AT_FDCWD, name, AT_FDCWD, "other", flags);
              },
              [flags](const char* name) {
                return raw(SYS_renameat2, AT_FDCWD, "dir", AT_FDCWD, name, flags);
              }});
  }
  return all;
}

Acts link() {
  return Acts{
      [](const char* name) { return raw(SYS_link, name, "new"); },
      [](const char* name) { return raw(SYS_link, "other", name); },
      [](const char* name) { return raw(SYS_linkat, AT_FDCWD, name, AT_FDCWD, "dir/new", 0); },
      [](const char* name) {
        return raw(SYS_linkat, AT_FDCWD, name, AT_FDCWD, "new", AT_SYMLINK_FOLLOW);
      },
      [](const char* name) { return raw(SYS_linkat, AT_FDCWD, name, AT_FDCWD, "new", 1); }};
}

Acts symlink(const std::string& folder) {
  return Acts{[](const char* name) { return raw(SYS_symlink, "text of it", name); },
              [=](const char* name) { return raw(SYS_symlinkat, folder.c_str(), AT_FDCWD, name); },
              [](const char* name) { return raw(SYS_symlink, name, "new"); }};
}

Acts change_modes() {
  return Acts{
      [](const char* name) { return raw(SYS_chmod, name, 0700); },
      [](const char* name) { return raw(SYS_fchmodat, AT_FDCWD, name, 0751); },
      [](const char* name) { return raw(kFchmodat2, AT_FDCWD, name, 0700, AT_SYMLINK_NOFOLLOW); },
      [](const char* name) { return raw(kFchmodat2, AT_FDCWD, name, 0700, 0x10); }};
}

Acts change_owners() {
  const auto user = ::geteuid();
  const auto group = ::getegid();
  return Acts{[=](const char* name) { return raw(SYS_chown, name, user, group); },
              [=](const char* name) { return raw(SYS_lchown, name, -1, group); },
              [=](const char* name) { return raw(SYS_fchownat, AT_FDCWD, name, user, -1, 0); },
              [=](const char* name) { return raw(SYS_lchown, name, 1, 1); },
              [=](const char* name) { return raw(SYS_fchownat, AT_FDCWD, name, 1, 1, 0x10); }};
}

Acts change_times() {
  static const std::array<timespec, 2> times = {timespec{1, 5}, timespec{2, 6}};
  static const std::array<timespec, 2> bad = {timespec{1, -1}, timespec{2, 2'000'000'000}};
  static const std::array<timespec, 2> half = {timespec{1, UTIME_OMIT}, timespec{3, 7}};
  static const std::array<timeval, 2> values = {timeval{1, 5}, timeval{2, 6}};
  static const std::array<timeval, 2> bad_values = {timeval{1, 5}, timeval{2, 1'000'000}};
  static const utimbuf buffer{7, 8};
  const auto at = [](const char* name, const timespec* time, int flags) {
    return raw(SYS_utimensat, AT_FDCWD, name, time, flags);
  };
  return Acts{[=](const char* name) { return at(name, times.data(), 0); },
              [=](const char* name) { return at(name, times.data(), AT_SYMLINK_NOFOLLOW); },
              [=](const char* name) { return at(name, half.data(), 0); },
              [=](const char* name) { return at(name, bad.data(), 0); },
              [=](const char* name) { return at(name, nullptr, 0); },
              [=](const char* name) { return at(name, times.data(), 0x10); },
              [](const char* name) { return raw(SYS_utimes, name, values.data()); },
              [](const char* name) { return raw(SYS_utimes, name, bad_values.data()); },
              [](const char* name) { return raw(SYS_futimesat, AT_FDCWD, name, values.data()); },
              [](const char* name) { return raw(SYS_utime, name, &buffer); },
              [](const char* name) { return raw(SYS_utime, name, nullptr); }};
}

Acts truncate_and_statfs() {
  return Acts{[](const char* name) { return raw(SYS_truncate, name, 3L); },
              [](const char* name) { return raw(SYS_truncate, name, 9000L); },
              [](const char* name) { return raw(SYS_truncate, name, -1L); },
              [](const char* name) {
                struct statfs found{};
                const long result = raw(SYS_statfs, name, &found);
                return result != 0 ? result : found.f_type;
              }};
}

}  // namespace

void EntryLog::result(long value) {
  const int error = errno;
  number(value);
  number(value < 0 ? error : 0);
}

void act_on_entries(const EntryAct& act, const std::string& folder, EntryLog& log) {
  int number = 0;
  for (const std::string& name : names()) {
    const std::string tree = folder + "/t" + std::to_string(number++);
    plant(log, tree);
    // Not by chdir(2), which a sealed process may not make.
    const int directory = ::open(tree.c_str(), O_RDONLY | O_DIRECTORY);
    const int entered = ::fchdir(directory);
    ::close(directory);
    if (entered != 0) return;
    log.result(act(name.c_str()));
    // And by the whole path.
    const bool whole = !name.empty() && name.front() != '/' && name.size() < 300;
    if (whole) log.result(act((tree + "/" + name).c_str()));
    look(log, tree);
  }
}

std::vector<EntryActs> entry_acts(const std::string& folder) {
  return {{"MakeDirectories", make_directories()},
          {"MakeNodes", make_nodes()},
          {"Remove", remove()},
          {"RenameFrom", rename_from()},
          {"RenameTo", rename_to()},
          {"RenameWithFlags", rename_with_flags()},
          {"Link", link()},
          {"Symlink", symlink(folder)},
          {"ChangeModes", change_modes()},
          {"ChangeOwners", change_owners()},
          {"ChangeTimes", change_times()},
          {"TruncateAndStatfs", truncate_and_statfs()}};
}

void act_on_pointers(const std::string& folder, EntryLog& log) {
  const int directory = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY);
  if (::fchdir(directory) != 0) return;
  const auto bad = reinterpret_cast<const char*>(8);
  for (const char* pointer : {static_cast<const char*>(nullptr), bad}) {
    log.result(raw(SYS_mkdir, pointer, 0700));
    log.result(raw(SYS_rmdir, pointer));
    log.result(raw(SYS_unlink, pointer));
    log.result(raw(SYS_rename, pointer, "new"));
    log.result(raw(SYS_rename, "file", pointer));
    log.result(raw(SYS_link, "file", pointer));
    log.result(raw(SYS_symlink, pointer, "new"));
    log.result(raw(SYS_symlink, "text", pointer));
    log.result(raw(SYS_chmod, pointer, 0700));
    log.result(raw(SYS_lchown, pointer, 0, 0));
    log.result(raw(SYS_truncate, pointer, 0L));
    log.result(raw(SYS_utimensat, AT_FDCWD, pointer, nullptr, 0));
    log.result(raw(SYS_utimensat, -1, pointer, nullptr, 0));
    log.result(raw(SYS_utimensat, -1, pointer, nullptr, AT_SYMLINK_NOFOLLOW));
    log.result(raw(SYS_statfs, pointer, nullptr));
    log.result(raw(SYS_statfs, "file", pointer));
  }
  log.result(raw(SYS_utimensat, AT_FDCWD, "file", 8L, 0));
  log.result(raw(SYS_utimes, "file", 8L));
  log.result(raw(SYS_utime, "file", 8L));
}

void act_on_descriptors(const std::string& folder, EntryLog& log) {
  const auto in = [&folder](const std::string& name) { return folder + "/" + name; };
  const int directory = static_cast<int>(raw(SYS_open, in("dir").c_str(), O_RDONLY));
  const int pathless = static_cast<int>(raw(SYS_open, in("dir").c_str(), O_PATH));
  const int file = static_cast<int>(raw(SYS_open, in("file").c_str(), O_RDONLY));
  const int seen = static_cast<int>(raw(SYS_open, in("file").c_str(), O_PATH));
  const int written = static_cast<int>(raw(SYS_open, in("file").c_str(), O_WRONLY));
  const int deleted = static_cast<int>(raw(SYS_open, in("gone").c_str(), O_CREAT | O_RDWR, 0600));
  log.result(raw(SYS_unlink, in("gone").c_str()));
  int ends[2];
  log.result(::pipe(ends));
  int number = 0;
  for (const int at : {directory, pathless, file, seen, written, deleted, ends[1], -1, 999}) {
    const std::string name = "n" + std::to_string(number++);
    const std::string moved = name + "-moved";
    log.result(raw(SYS_mkdirat, at, name.c_str(), 0750));
    log.result(raw(SYS_renameat, at, name.c_str(), at, moved.c_str()));
    log.result(raw(SYS_renameat, AT_FDCWD, in("nothing").c_str(), at, moved.c_str()));
    log.result(raw(SYS_renameat, at, moved.c_str(), AT_FDCWD, in(name).c_str()));
    log.result(raw(SYS_symlinkat, "text", at, name.c_str()));
    log.result(raw(SYS_linkat, at, "inner", directory, (name + "-link").c_str(), 0));
    log.result(raw(SYS_linkat, directory, "inner", at, (name + "-other").c_str(), 0));
    log.result(raw(SYS_unlinkat, at, name.c_str(), 0));
    // Directories stay such that anybody who owns them can go through.
    const unsigned search = at == directory || at == pathless ? 0100 : 0;
    log.result(raw(SYS_fchmod, at, 0640 | search));
    log.result(raw(SYS_fchmodat, at, "inner", 0604));
    log.result(raw(SYS_fchown, at, -1, -1));
    log.result(raw(SYS_utimensat, at, nullptr, nullptr, 0));
    log.result(raw(SYS_utimensat, at, "inner", nullptr, 0));
    log.result(raw(SYS_futimesat, at, nullptr, nullptr));
    log.result(raw(kFchmodat2, at, "", 0600 | search, AT_EMPTY_PATH));
    log.result(raw(SYS_fchownat, at, "", -1, -1, AT_EMPTY_PATH));
    struct stat status{};
    log.result(::fstat(at, &status));
    log.number(status.st_mode);
  }
  const std::string own = "/proc/self/fd/" + std::to_string(file);
  log.result(raw(SYS_chmod, own.c_str(), 0611));
  log.result(raw(SYS_truncate, own.c_str(), 2L));
  struct stat status{};
  log.result(::stat(in("file").c_str(), &status));
  log.number(status.st_mode);
  log.number(status.st_size);
}

}  // namespace torno::test
