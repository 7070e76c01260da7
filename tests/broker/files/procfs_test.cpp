// /proc is the client's, never the broker's. Here the client is a child, so that the two differ.
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <csignal>
#include <filesystem>

#include "broker/files/procfs.h"
#include "tests/broker/files/files_fixture.h"

namespace torno::files {
namespace {

class Procfs : public FilesFixture {
 protected:
  void SetUp() override {
    FilesFixture::SetUp();
    make_directory("home");
    client_ = ::fork();
    ASSERT_GE(client_, 0);
    if (client_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (::chdir(at("home").c_str()) != 0) ::_exit(1);
      while (true) ::pause();
    }
    const std::string cwd = "/proc/" + std::to_string(client_) + "/cwd";
    std::error_code ignored;
    while (std::filesystem::read_symlink(cwd, ignored) != at("home")) ::sched_yield();
  }

  void TearDown() override {
    ::kill(client_, SIGKILL);
    ::waitpid(client_, nullptr, 0);
    FilesFixture::TearDown();
  }

  Place of_client(const std::string& path) {
    Place place = FilesFixture::place(path);
    place.client = client_;
    return place;
  }

  Outcome open_proc(const std::string& path, std::uint64_t flags = O_RDONLY,
                    std::uint64_t resolve = 0) {
    return open({.place = of_client(path), .flags = flags, .resolve = resolve});
  }
  Outcome stat_proc(const std::string& path, std::uint32_t flags = 0) {
    return stat({.place = of_client(path), .flags = flags, .mask = STATX_BASIC_STATS});
  }
  Outcome readlink_proc(const std::string& path) {
    return readlink({.place = of_client(path), .size = 4096});
  }

  // The "Pid:" line of a status file.
  static pid_t pid_in(const Outcome& status) {
    const std::string text = contents(status.fd.get());
    const std::size_t at = text.find("\nPid:");
    return at == text.npos ? -1 : std::atoi(text.c_str() + at + 5);
  }

  void allow_all() { allow(R"(file { path: "/**" allow: [READ, WRITE, CREATE, EXECUTE] })"); }

  pid_t client_ = -1;
};

TEST_F(Procfs, SelfIsTheClient) {
  ASSERT_NE(client_, ::getpid());
  allow(R"(file { path: "/proc/self/**" allow: READ })");
  const std::string number = "/proc/" + std::to_string(client_);
  for (const std::string& path :
       {std::string("/proc/self/status"), std::string("/proc/thread-self/status"),
        number + "/status", std::string("/proc/./self//status"),
        std::string("/proc/self/../self/status"),
        number + "/task/" + std::to_string(client_) + "/status"}) {
    const Outcome outcome = open_proc(path);
    ASSERT_EQ(outcome.error, 0) << path;
    EXPECT_EQ(pid_in(outcome), client_) << path;
  }
}

TEST_F(Procfs, VerdictIsOnSelfWhateverTheNumber) {
  allow(R"(file { path: "/proc/self/status" allow: READ })");
  const std::string number = "/proc/" + std::to_string(client_);
  EXPECT_EQ(open_proc(number + "/status").error, 0);
  EXPECT_TRUE(is_denied(open_proc(number + "/maps"), "/proc/self/maps"));
}

TEST_F(Procfs, OthersAnswerAlikeWhetherTheyExistOrNot) {
  allow_all();
  const std::string broker = "/proc/" + std::to_string(::getpid());
  ASSERT_EQ(::access((broker + "/status").c_str(), R_OK), 0) << "the control";
  for (const std::string& other :
       {broker, std::string("/proc/1"), std::string("/proc/99999999"),
        std::string("/proc/99999999999999999999"), "/proc/0" + std::to_string(client_)}) {
    for (const char* rest : {"", "/", "/status", "/mem", "/root/etc/passwd", "/fd/0", "/missing"}) {
      EXPECT_TRUE(is_denied(open_proc(other + rest))) << other << rest;
      EXPECT_TRUE(is_denied(stat_proc(other + rest))) << other << rest;
      EXPECT_TRUE(is_denied(readlink_proc(other + rest))) << other << rest;
    }
  }
}

TEST_F(Procfs, OtherProcessByALinkIsRefused) {
  allow_all();
  link("/proc/" + std::to_string(::getpid()), "link");
  EXPECT_TRUE(is_denied(open_proc(at("link/status"))));
  EXPECT_TRUE(is_denied(open_proc(at("link/environ"))));
}

TEST_F(Procfs, DangerousFilesAreRefusedWhateverThePolicySays) {
  allow_all();
  for (const char* name : {"mem", "pagemap", "stack", "syscall", "clear_refs", "missing",
                           "map_files", "make-it-fail"}) {
    EXPECT_TRUE(is_denied(open_proc(std::string("/proc/self/") + name))) << name;
    EXPECT_TRUE(is_denied(stat_proc(std::string("/proc/self/") + name))) << name;
  }
  const std::string thread = "/proc/self/task/" + std::to_string(client_);
  EXPECT_TRUE(is_denied(open_proc(thread + "/mem", O_RDWR)));
  for (const char* path : {"/proc/kcore", "/proc/kallsyms", "/proc/kmsg", "/proc/sysrq-trigger",
                           "/proc/keys", "/proc/sys/kernel/core_pattern", "/proc"}) {
    EXPECT_TRUE(is_denied(open_proc(path))) << path;
  }
}

TEST_F(Procfs, IsWrittenWhereTheTableSaysSo) {
  allow_all();
  EXPECT_EQ(open_proc("/proc/self/comm", O_WRONLY).error, 0);
  for (const char* path : {"/proc/self/uid_map", "/proc/self/setgroups", "/proc/self/environ",
                           "/proc/sys/kernel/hostname", "/proc/self/attr/current"}) {
    EXPECT_TRUE(is_denied(open_proc(path, O_WRONLY))) << path;
  }
  EXPECT_TRUE(is_denied(open_proc("/proc/self/new", O_WRONLY | O_CREAT)));
}

TEST_F(Procfs, GlobalFilesNeedThePolicyToo) {
  allow(R"(file { path: "/proc/cpuinfo" allow: READ }
           file { path: "/proc/sys/kernel/**" allow: READ })");
  EXPECT_EQ(open_proc("/proc/cpuinfo").error, 0);
  EXPECT_EQ(open_proc("/proc/sys/kernel/osrelease").error, 0);
  EXPECT_EQ(stat_proc("/proc/sys/kernel").error, 0);
  EXPECT_TRUE(is_denied(open_proc("/proc/sys/kernel", O_RDONLY | O_DIRECTORY)));
  EXPECT_TRUE(is_denied(open_proc("/proc/meminfo"), "/proc/meminfo"));
}

TEST_F(Procfs, MountsIsTheClients) {
  allow(R"(file { path: "/proc/self/mounts" allow: READ }
           file { path: "/proc/mounts" allow: READ })");
  EXPECT_EQ(open_proc("/proc/mounts").error, 0);
}

TEST_F(Procfs, LinksOfTheClientAreTextWithAFreshVerdict) {
  write("home/file", "homely");
  write("secret", "secret");
  allow(R"(file { path: "/proc/self/**" allow: READ } file { path: "$D/home/**" allow: READ })");
  EXPECT_EQ(readlink_proc("/proc/self/cwd").target, at("home"));
  const Outcome outcome = open_proc("/proc/self/cwd/file");
  ASSERT_EQ(outcome.error, 0);
  EXPECT_EQ(contents(outcome.fd.get()), "homely");
  EXPECT_TRUE(is_denied(open_proc("/proc/self/cwd/../secret"), at("secret")));
  ASSERT_EQ(contents("/proc/" + std::to_string(client_) + "/cwd/../secret"), "secret");

  const std::string exe = std::filesystem::read_symlink("/proc/self/exe");
  EXPECT_EQ(readlink_proc("/proc/self/exe").target, exe);
  EXPECT_TRUE(is_denied(open_proc("/proc/self/exe"), exe));
  EXPECT_TRUE(S_ISLNK(stat_proc("/proc/self/exe", AT_SYMLINK_NOFOLLOW).stat.stx_mode));
}

TEST_F(Procfs, RootLeadsOnlyWhereThePolicyDoes) {
  write("secret", "secret");
  write("home/file", "homely");
  allow(R"(file { path: "/proc/self/**" allow: READ } file { path: "$D/home/**" allow: READ })");
  ASSERT_EQ(contents("/proc/self/root" + at("secret")), "secret");
  EXPECT_TRUE(is_denied(open_proc("/proc/self/root" + at("secret")), at("secret")));
  EXPECT_EQ(open_proc("/proc/self/root" + at("home/file")).error, 0);
  const std::string thread = "/proc/self/task/" + std::to_string(client_);
  EXPECT_TRUE(is_denied(open_proc(thread + "/root" + at("secret"))));
}

TEST_F(Procfs, DescriptorsAreNotFollowed) {
  allow_all();
  // Number 0 of the client; the broker's own is another thing altogether.
  EXPECT_TRUE(is_denied(open_proc("/proc/self/fd/0")));
  EXPECT_TRUE(is_denied(open_proc("/dev/fd/0")));
  EXPECT_TRUE(is_denied(open_proc("/proc/self/ns/net")));
  EXPECT_NE(readlink_proc("/proc/self/fd/0").target, "");
  EXPECT_EQ(open_proc("/proc/self/fd", O_RDONLY | O_DIRECTORY).error, 0);
}

TEST_F(Procfs, MagicLinksObeyResolve) {
  allow_all();
  const std::uint64_t no_magic_links = 2;
  EXPECT_EQ(open_proc("/proc/self/cwd", O_RDONLY, no_magic_links).error, ELOOP);
  EXPECT_EQ(open_proc("/proc/self/status", O_RDONLY, no_magic_links).error, 0);
}

TEST_F(Procfs, UnknownClientHasNoSelf) {
  allow_all();
  Place nobody = place("/proc/self/status");
  nobody.client = 0;
  EXPECT_TRUE(is_denied(open({.place = nobody})));
  nobody.path = "/proc/0/status";
  EXPECT_TRUE(is_denied(open({.place = nobody})));
}

TEST_F(Procfs, DirectoryDescriptorStaysTheClients) {
  allow(R"(file { path: "/proc/self/**" allow: READ })");
  const Outcome directory = open_proc("/proc/self", O_RDONLY | O_DIRECTORY);
  ASSERT_EQ(directory.error, 0);
  Place place = of_client("status");
  place.base = Place::Base::kFd;
  place.fd = directory.fd.get();
  const Outcome status = open({.place = place});
  ASSERT_EQ(status.error, 0);
  EXPECT_EQ(pid_in(status), client_);

  const Fd own(::open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  place.fd = own.get();
  EXPECT_TRUE(is_denied(open({.place = place}))) << "the broker's own";
}

TEST_F(Procfs, SecondMountIsRefused) {
  make_directory("proc");
  if (::mount("proc", at("proc").c_str(), "proc", 0, nullptr) != 0) {
    GTEST_SKIP() << "only root mounts";
  }
  allow_all();
  const std::string broker = at("proc/") + std::to_string(::getpid());
  EXPECT_NE(contents(broker + "/environ"), "?") << "the control";
  EXPECT_TRUE(is_denied(open_proc(broker + "/environ")));
  EXPECT_TRUE(is_denied(open_proc(at("proc/self/environ"))));
  EXPECT_TRUE(is_denied(open_proc(at("proc/cpuinfo"))));
  EXPECT_TRUE(is_denied(readlink_proc(broker + "/exe")));
  EXPECT_EQ(::umount(at("proc").c_str()), 0);
}

TEST(ProcfsTable, PermitsByNameAndWay) {
  using policy::kRead;
  using policy::kStat;
  EXPECT_TRUE(procfs::permits("/proc/sys/kernel/random/uuid", kRead));
  EXPECT_TRUE(procfs::permits("/proc/sys/kernel/random", kStat));
  EXPECT_FALSE(procfs::permits("/proc/sys/kernel/random", kRead));
  EXPECT_FALSE(procfs::permits("/proc/sys/kernel/rand", kStat));
  EXPECT_FALSE(procfs::permits("/proc/sys/kernel/random/uuid2", kStat));
  EXPECT_TRUE(procfs::permits("/proc/self/net/tcp", kRead));
  EXPECT_FALSE(procfs::permits("/proc/self/network", kStat));
  EXPECT_TRUE(procfs::permits("/proc/self/task/12/status", kRead));
  EXPECT_FALSE(procfs::permits("/proc/self/task/x/status", kRead));
  EXPECT_FALSE(procfs::permits("/proc/self/mem", kRead));
}

}  // namespace
}  // namespace torno::files
