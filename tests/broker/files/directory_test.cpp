// A directory descriptor proves nothing by its name.
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cstring>

#include "tests/broker/files/files_fixture.h"
#include "tests/support/mount_namespace.h"
#include "tests/support/processes.h"

namespace torno::files {
namespace {

class Directory : public FilesFixture {
 protected:
  void SetUp() override {
    FilesFixture::SetUp();
    make_directory("allowed/deep");
    make_directory("secret");
    write("allowed/file", "open");
    write("secret/file", "secret");
    allow(R"(file { path: "$D/allowed/**" allow: [READ, WRITE, CREATE] })");
  }

  Fd directory(const std::string& name, int flags = O_RDONLY) const {
    return Fd(::open(at(name).c_str(), flags | O_DIRECTORY | O_CLOEXEC));
  }
};

TEST_F(Directory, RelativePathStartsThere) {
  for (const int flags : {O_RDONLY, O_PATH}) {
    const Fd allowed = directory("allowed", flags);
    EXPECT_EQ(open({.place = place_at(allowed.get(), "file")}).error, 0);
    EXPECT_EQ(open({.place = place_at(allowed.get(), "deep/../file")}).error, 0);
    EXPECT_EQ(open({.place = place_at(allowed.get(), ".")}).error, 0);
    EXPECT_EQ(open({.place = place_at(allowed.get(), "missing")}).error, ENOENT);
    EXPECT_TRUE(
        is_denied(open({.place = place_at(allowed.get(), "../secret/file")}), at("secret/file")));
  }
  const Fd root(::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  EXPECT_EQ(open({.place = place_at(root.get(), at("allowed/file").substr(1))}).error, 0);
}

TEST_F(Directory, AbsolutePathDoesNot) {
  EXPECT_EQ(open({.place = place_at(-1, at("allowed/file"))}).error, 0);
}

TEST_F(Directory, HeldDirectoryOutsideThePolicyHelpsNothing) {
  const Fd secret = directory("secret");
  ASSERT_TRUE(secret);
  EXPECT_TRUE(is_denied(open({.place = place_at(secret.get(), "file")}), at("secret/file")));
  EXPECT_TRUE(is_denied(open({.place = place_at(secret.get(), "missing")})));
}

TEST_F(Directory, RenamedDirectoryIsJudgedByItsNewName) {
  const Fd deep = directory("allowed/deep");
  write("allowed/deep/file");
  ASSERT_EQ(open({.place = place_at(deep.get(), "file")}).error, 0);
  ASSERT_EQ(::rename(at("allowed/deep").c_str(), at("secret/deep").c_str()), 0);
  EXPECT_TRUE(is_denied(open({.place = place_at(deep.get(), "file")}), at("secret/deep/file")));
}

TEST_F(Directory, DeletedDirectoryIsEnoent) {
  const Fd deep = directory("allowed/deep");
  ASSERT_EQ(::rmdir(at("allowed/deep").c_str()), 0);
  EXPECT_EQ(open({.place = place_at(deep.get(), "file")}).error, ENOENT);
  EXPECT_EQ(
      open({.place = place_at(deep.get(), "x"), .flags = O_WRONLY | O_CREAT, .mode = 0600}).error,
      ENOENT);
}

TEST_F(Directory, DirectoryCalledDeletedIsNot) {
  make_directory("allowed/x (deleted)");
  write("allowed/x (deleted)/file");
  const Fd odd = directory("allowed/x (deleted)");
  EXPECT_EQ(open({.place = place_at(odd.get(), "file")}).error, 0);
}

TEST_F(Directory, OtherThingsAreNoDirectory) {
  const Fd file(::open(at("allowed/file").c_str(), O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(open({.place = place_at(file.get(), "x")}).error, ENOTDIR);
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  const Fd one(ends[0]);
  const Fd two(ends[1]);
  EXPECT_EQ(open({.place = place_at(one.get(), "x")}).error, ENOTDIR);
  EXPECT_EQ(open({.place = place_at(-1, "x")}).error, EBADF);
}

TEST_F(Directory, NameThatIsTooLongIsRefused) {
  const std::string name(NAME_MAX, 'n');
  Fd here = directory("allowed");
  for (int depth = 0; depth < 20; ++depth) {
    ASSERT_EQ(::mkdirat(here.get(), name.c_str(), 0700), 0);
    here = Fd(::openat(here.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    ASSERT_TRUE(here);
  }
  EXPECT_EQ(open({.place = place_at(here.get(), "x")}).error, ENAMETOOLONG);
}

// What stands in another mount namespace at an allowed name: the kernel calls /secret there
// "…/allowed". Sends a descriptor of it over `socket`, or nothing where namespaces are refused.
[[noreturn]] void send_disguised(int socket, const std::string& secret,
                                 const std::string& allowed) {
  if (!test::enter_mount_namespace()) ::_exit(1);
  if (::mount(secret.c_str(), allowed.c_str(), nullptr, MS_BIND, nullptr) != 0) ::_exit(1);
  const int fd = ::open(allowed.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  char byte = 0;
  iovec data{.iov_base = &byte, .iov_len = 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof fd)] = {};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof fd);
  std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
  if (::sendmsg(socket, &message, MSG_NOSIGNAL) != 1) ::_exit(1);
  // The mount is there as long as the namespace is: until the test hangs up.
  ::_exit(::recv(socket, &byte, 1, 0) == 0 ? 0 : 1);
}

// Hangs up on the child and waits for its end.
struct Reaper {
  Reaper(pid_t pid, Fd& socket) : child(pid), connection(socket) {}
  Reaper(const Reaper&) = delete;
  Reaper& operator=(const Reaper&) = delete;
  ~Reaper() {
    connection.reset();
    ::waitpid(child, nullptr, 0);
  }
  pid_t child;
  Fd& connection;
};

Fd receive_descriptor(int socket) {
  char byte = 0;
  iovec data{.iov_base = &byte, .iov_len = 1};
  int fd = -1;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof fd)] = {};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  if (::recvmsg(socket, &message, MSG_CMSG_CLOEXEC) != 1) return Fd();
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header == nullptr) return Fd();
  std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
  return Fd(fd);
}

TEST_F(Directory, BindMountInAnotherNamespaceIsNoDisguise) {
  if (!test::root_is_a_mount()) GTEST_SKIP() << "in a chroot whose root is no mount";
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
  Fd ours(ends[0]);
  Fd theirs(ends[1]);
  const pid_t child = ::fork();
  if (child == 0) {
    ours.reset();
    send_disguised(theirs.get(), at("secret"), at("allowed"));
  }
  theirs.reset();
  const Fd disguised = receive_descriptor(ours.get());
  const Reaper reaper(child, ours);
  if (!disguised) GTEST_SKIP() << "this user may not make a mount namespace here";

  // The control: the name is an allowed one, and what is beneath it is not.
  char name[PATH_MAX] = {};
  const std::string link = "/proc/self/fd/" + std::to_string(disguised.get());
  ASSERT_GT(::readlink(link.c_str(), name, sizeof name - 1), 0);
  ASSERT_EQ(name, at("allowed"));
  const Fd inside(::openat(disguised.get(), "file", O_RDONLY | O_CLOEXEC));
  ASSERT_EQ(contents(inside.get()), "secret");

  for (const char* path : {"file", "missing", ".", "../allowed/file"}) {
    EXPECT_EQ(open({.place = place_at(disguised.get(), path)}).error, EACCES) << path;
  }
  EXPECT_EQ(stat({.place = place_at(disguised.get(), "file"), .mask = STATX_INO}).error, EACCES);
  EXPECT_EQ(open({.place = place_of(disguised.get(), "/proc/self/fd/3")}).error, EACCES);
  EXPECT_EQ(open({.place = place_of(inside.get(), "/proc/self/fd/3")}).error, EACCES);
}

}  // namespace
}  // namespace torno::files
