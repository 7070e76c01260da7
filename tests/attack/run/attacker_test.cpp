// What a program may try by raw system calls, static and dynamic: each succeeds as it is, and does
// not under `torno run`, with namespaces and without, with executable files and without.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "broker/base/fd.h"
#include "tests/programs/workplace.h"

namespace torno::test {
namespace {

using programs::Outcome;
using programs::Words;
using programs::Workplace;

int g_mark = 4711;  // in this process and the victim

std::string attacker(const std::string& kind) {
  return std::string(TORNO_BINARY_DIR "/tests/") + kind + "_attacker";
}

// What every run finds: files, sockets that wait, and another process.
class Stage {
 public:
  Stage() {
    for (const char* folder : {"allowed", "secret", "writable"}) place_.make_folder(folder);
    place_.write("secret/key", "the secret\n");
    place_.write("allowed/public", "for everybody\n");
    std::filesystem::create_symlink("../secret/key", place_.path("allowed/link"));
    std::filesystem::create_symlink("../secret", place_.path("allowed/dirlink"));
    listen_tcp();
    listen_unix(unix_, place_.path("secret/socket"));
    listen_unix(abstract_, std::string(1, '\0') + "torno-attack-" + std::to_string(port_));
    // What SignalToEverybody sends stays pending there.
    sigset_t urgent;
    sigset_t before;
    sigemptyset(&urgent);
    sigaddset(&urgent, SIGURG);
    ::sigprocmask(SIG_BLOCK, &urgent, &before);
    victim_ = ::fork();
    if (victim_ == 0) {
      for (;;) ::pause();
    }
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
  }
  ~Stage() {
    ::kill(victim_, SIGKILL);
    ::waitpid(victim_, nullptr, 0);
  }
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  Workplace& place() { return place_; }
  pid_t victim() const { return victim_; }
  bool was_victim_signalled() const {
    std::ifstream status("/proc/" + std::to_string(victim_) + "/status");
    for (std::string word; status >> word;) {
      if (word == "ShdPnd:") return status >> word && std::stoull(word, nullptr, 16) != 0;
    }
    ADD_FAILURE() << "no signals in /proc";
    return false;
  }
  Words command(const std::string& kind, const std::string& attack) const {
    return {attacker(kind),
            attack,
            place_.path(),
            std::to_string(victim_),
            std::to_string(reinterpret_cast<std::uintptr_t>(&g_mark)),
            std::to_string(port_)};
  }

 private:
  void listen_tcp() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(tcp_.get(), any, size), 0);
    EXPECT_EQ(::listen(tcp_.get(), 8), 0);
    EXPECT_EQ(::getsockname(tcp_.get(), any, &size), 0);
    port_ = ntohs(address.sin_port);
  }
  static void listen_unix(const Fd& socket, const std::string& name) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    ASSERT_LT(name.size(), sizeof address.sun_path);
    std::memcpy(address.sun_path, name.data(), name.size());
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    EXPECT_EQ(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(socket.get(), 8), 0);
  }

  Workplace place_;
  const Fd tcp_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  const Fd unix_{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  const Fd abstract_{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  int port_ = 0;
  pid_t victim_ = -1;
};

// The walls are the weaker for what these rules give: sockets, /proc, programs to be read.
constexpr const char* kRules = R"(
include: "base"
file { path: "/proc/**" allow: READ }
file { path: "/usr/bin/**" allow: READ }
file { path: "${FOLDER}/allowed/**" allow: READ }
file { path: "${FOLDER}/writable/**" allow: [READ, WRITE, CREATE] }
)";
constexpr const char* kNetwork = R"(
connect { address: "127.0.0.1" port: 9 }
connect { unix: "/run/torno-attack/none" }
)";
constexpr const char* kExecutes = R"(
file { path: "/usr/bin/false" allow: EXECUTE }
)";

struct Way {
  const char* name;
  std::string rules;
  Words options;
  bool for_static_programs;
};

const std::vector<Way>& ways() {
  static const std::vector<Way> all = {
      {"all walls", "", {}, true},
      {"all walls, executables", kExecutes, {}, true},
      {"no namespaces", std::string("wall: LANDLOCK\n") + kNetwork, {}, true},
      {"no namespaces, executables",
       std::string("wall: LANDLOCK\n") + kNetwork + kExecutes,
       {},
       true},
      {"no namespaces, trap",
       std::string("wall: LANDLOCK\n") + kNetwork,
       {"--mode", "trap"},
       false},
  };
  return all;
}

enum class Control {
  kAlways,      // succeeds for everybody
  kWhereGiven,  // depends on the kernel, its settings and the user
};

struct Row {
  const char* name;
  Control control = Control::kAlways;
};
void PrintTo(const Row& row, std::ostream* out) {
  *out << row.name;
}

constexpr Row kRows[] = {
    {"OpenByPath"},
    {"OpenByOpenat2"},
    {"OpenByDots"},
    {"OpenBySymlink"},
    {"OpenByDirectorySymlink"},
    {"OpenByNewSymlink"},
    {"OpenByHardLink"},
    {"OpenByRename"},
    {"OpenByOwnRoot"},
    {"OpenByThreadRoot"},
    {"OpenByRootOfParent"},
    {"OpenByRootOfVictim"},
    {"OpenByOwnCwd"},
    {"OpenByRelativePath"},
    {"OpenByDirectory"},
    {"OpenByDirectoryPath"},
    {"OpenByRootOfOpenat2"},
    {"OpenByReopenedPath"},
    {"OpenByReopenedSymlink"},
    {"OpenByHandle", Control::kWhereGiven},
    {"WriteByReopening"},
    {"WriteByPath"},
    {"Truncate"},
    {"Make"},
    {"Remove"},
    {"Mode"},
    {"ModeOfDescriptor"},
    {"SetIdBit"},
    {"Device", Control::kWhereGiven},
    {"TellByStat"},
    {"TellByLstat"},
    {"TellByStatx"},
    {"TellByAccess"},
    {"TellByReadlink"},
    {"TellByOpen"},
    {"TellByCreate"},
    {"TellByPath"},
    {"TellByChdir"},
    {"TellByStatfs"},
    {"TellByUnlink"},
    {"TellByRmdir"},
    {"TellByRename"},
    {"TellByLink"},
    {"TellByGetxattr"},
    {"TellByInotify"},
    {"TellByExecve"},
    {"TellByConnect"},
    {"ExecByPath"},
    {"ExecByDirectory"},
    {"ExecByScript"},
    {"ExecByDescriptor"},
    {"ExecByPathDescriptor"},
    {"ExecByMemory"},
    {"ExecByCopy"},
    {"ExecDeleted"},
    {"ExecTemporary"},
    {"Ptrace", Control::kWhereGiven},
    {"ReadMemory", Control::kWhereGiven},
    {"WriteMemory", Control::kWhereGiven},
    {"MemoryFile", Control::kWhereGiven},
    {"Environment"},
    {"TakeDescriptor", Control::kWhereGiven},
    {"PidfdSignal"},
    {"Signals"},
    {"SignalOwner"},
    {"Limits"},
    {"Priority"},
    {"Affinity"},
    {"ConnectTcp"},
    {"SendFastOpen", Control::kWhereGiven},
    {"SendUdp"},
    {"SendMessage"},
    {"ListenTcp"},
    {"ConnectUnix"},
    {"ConnectAbstract"},
    {"Netlink"},
    {"Packets", Control::kWhereGiven},
    {"MountBind", Control::kWhereGiven},
    {"MountMemory", Control::kWhereGiven},
    {"CloneTree", Control::kWhereGiven},
    {"NewMount", Control::kWhereGiven},
    {"ChangeRoot", Control::kWhereGiven},
    {"UserNamespace", Control::kWhereGiven},
    {"MountNamespace", Control::kWhereGiven},
    {"ClonedNamespace", Control::kWhereGiven},
    {"Cloned3Namespace", Control::kWhereGiven},
    {"JoinNamespace", Control::kWhereGiven},
    {"Keyring", Control::kWhereGiven},
    {"AddKey", Control::kWhereGiven},
    {"RequestKey", Control::kWhereGiven},
    {"Bpf", Control::kWhereGiven},
    {"Perf", Control::kWhereGiven},
    {"IoUring", Control::kWhereGiven},
    {"Userfaultfd", Control::kWhereGiven},
    {"OwnListener"},
    {"WatchMounts", Control::kWhereGiven},
    {"SystemName", Control::kWhereGiven},
    {"KernelLog", Control::kWhereGiven},
    {"NoNewPrivileges", Control::kWhereGiven},
    {"Ports", Control::kWhereGiven},
    {"OpenByInt80", Control::kWhereGiven},
    {"CallByX32"},
};

constexpr int kGot = 0;
constexpr int kRefused = 1;
constexpr int kKilled = 128 + SIGSYS;

Words options_of(const Way& way, Stage& stage) {
  const std::string policy = stage.place().write("attack.policy", kRules + way.rules);
  Words options = {"--policy", policy, "--set", "FOLDER=" + stage.place().path()};
  options.insert(options.end(), way.options.begin(), way.options.end());
  return options;
}

class AttackRun : public testing::TestWithParam<std::tuple<Row, const char*>> {};

TEST_P(AttackRun, IsRefused) {
  const auto& [row, kind] = GetParam();
  Stage free;
  const Outcome outside = free.place().outside(free.command(kind, row.name));
  const bool given = outside.status == kGot;
  if (row.control == Control::kAlways) {
    EXPECT_TRUE(given) << testing::PrintToString(outside);
  }
  for (const Way& way : ways()) {
    if (!way.for_static_programs && std::string(kind) == "static") continue;
    Stage stage;
    const Outcome inside =
        stage.place().inside(options_of(way, stage), stage.command(kind, row.name));
    EXPECT_TRUE(inside.status == kRefused || inside.status == kKilled)
        << way.name << ": " << testing::PrintToString(inside);
    EXPECT_EQ(stage.place().read("secret/key"), "the secret\n") << way.name;
    EXPECT_EQ(stage.place().read("allowed/public"), "for everybody\n") << way.name;
  }
  if (!given)
    GTEST_SKIP() << "this kernel, or its settings, refuse it to this user: " << outside.out;
}

INSTANTIATE_TEST_SUITE_P(All, AttackRun,
                         testing::Combine(testing::ValuesIn(kRows),
                                          testing::Values("static", "dynamic")),
                         [](const auto& row) {
                           return std::string(std::get<0>(row.param).name) + "_" +
                                  std::get<1>(row.param);
                         });

// As a control the victim alone is sent one, and not everybody.
TEST(AttackRunSignals, ToEverybody) {
  for (const char* kind : {"static", "dynamic"}) {
    for (const Way& way : ways()) {
      if (!way.for_static_programs && std::string(kind) == "static") continue;
      Stage stage;
      const Outcome inside =
          stage.place().inside(options_of(way, stage), stage.command(kind, "SignalToEverybody"));
      EXPECT_LE(inside.status, kRefused) << testing::PrintToString(inside);
      EXPECT_FALSE(stage.was_victim_signalled()) << way.name;
      EXPECT_EQ(::kill(stage.victim(), SIGURG), 0);
      EXPECT_TRUE(stage.was_victim_signalled());
    }
  }
}

TEST(AttackRunTable, HasEveryAttack) {
  const Workplace place;
  // The others have tests of their own.
  std::set<std::string> listed = {"SignalToEverybody", "TypeIntoTerminal", "OwnTerminal",
                                  "TakeTerminal"};
  for (const Row& row : kRows) listed.insert(row.name);
  std::set<std::string> built;
  std::istringstream names(place.outside({attacker("static")}).out);
  for (std::string name; names >> name;) built.insert(name);
  EXPECT_EQ(built, listed);
}

}  // namespace
}  // namespace torno::test
