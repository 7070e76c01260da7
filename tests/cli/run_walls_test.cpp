// torno run: the walls around the program, which a policy names, and the report that lists them.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <fstream>
#include <iterator>

#include "proto/audit.pb.h"
#include "tests/cli/run_command.h"

namespace torno::cli {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kEverythingRead = "profile: NO_NETWORK\n";

class RunWalls : public testing::Test {
 protected:
  // Runs a shell script under the policy.
  Said script(const std::string& policy, const std::string& text,
              const std::function<void()>& before = {}) {
    directory_.write("walls.policy", kEverythingRead + policy);
    return run({"--policy", directory_.path("walls.policy"), "--report", report_path(), "--",
                "/bin/sh", "-c", text},
               before);
  }

  std::string report_path() const { return directory_.path("report"); }
  audit::Event report() const {
    std::ifstream file(report_path());
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    audit::Event event;
    EXPECT_TRUE(google::protobuf::util::JsonStringToMessage(text, &event).ok()) << text;
    return event;
  }
  std::vector<std::string> walls() const {
    const audit::Event event = report();
    return {event.program_ended().walls().begin(), event.program_ended().walls().end()};
  }
  // Does this machine give this user a pid namespace?
  bool has_pid_namespaces() {
    script("", ":");
    const auto given = walls();
    return std::ranges::find(given, "PID_NAMESPACE") != given.end();
  }

  TemporaryDirectory directory_;
};

// As on a machine that gives nobody a pid namespace.
void refuse_pid_namespaces() {
  sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[0])),
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_NEWPID, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  sock_fprog program{std::size(filter), filter};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
    ::_exit(99);
  }
}

constexpr const char* kNumbers = "echo $$; read -r own rest < /proc/self/stat; echo $own";

TEST_F(RunWalls, InItsPidNamespaceTheProgramIsTheSecond) {
  if (!has_pid_namespaces()) GTEST_SKIP() << "this user has no pid namespace";
  EXPECT_EQ(script("", kNumbers).out, "2\n2\n");
}

TEST_F(RunWalls, StatusTellsOfThem) {
  if (!has_pid_namespaces()) GTEST_SKIP() << "this user has no namespaces";
  directory_.write("walls.policy", std::string(kEverythingRead) + "wall: PID_NAMESPACE\n");
  // The program's number outside: init is torno's only child, and the program is init's.
  RunCommand command({"--policy", directory_.path("walls.policy"), "--", "/bin/sh", "-c",
                      "echo started; read -r line"});
  EXPECT_EQ(command.read_line(), "started");
  const auto child_of = [](pid_t parent) {
    const std::string number = std::to_string(parent);
    std::ifstream children("/proc/" + number + "/task/" + number + "/children");
    pid_t child = 0;
    children >> child;
    return child;
  };
  const Said said = run_torno({"status", std::to_string(child_of(child_of(command.pid())))});
  EXPECT_EQ(said.status, 0) << said.err;
  EXPECT_THAT(said.out, testing::ContainsRegex("namespaces    of its own: .*pid"));
  EXPECT_THAT(said.out, HasSubstr("no_new_privs  yes"));
  command.close_input();
  command.wait();
}

TEST_F(RunWalls, WithoutOneItHasTheSystemsNumbers) {
  const Said said = script("wall: LANDLOCK", kNumbers);
  EXPECT_EQ(said.status, 0) << said.err;
  EXPECT_NE(said.out, "2\n2\n");
  const std::string number = said.out.substr(0, said.out.find('\n') + 1);
  EXPECT_EQ(said.out, number + number);
  EXPECT_THAT(walls(), Not(Contains(HasSubstr("NAMESPACE"))));
  EXPECT_THAT(walls(), Contains("SECCOMP"));
}

TEST_F(RunWalls, APolicyChoosesNamespaces) {
  if (!has_pid_namespaces()) GTEST_SKIP() << "this user has no namespaces";
  script("wall: [IPC_NAMESPACE, UTS_NAMESPACE]", ":");
  EXPECT_THAT(walls(), Contains("IPC_NAMESPACE"));
  EXPECT_THAT(walls(), Contains("UTS_NAMESPACE"));
  EXPECT_THAT(walls(), Not(Contains("PID_NAMESPACE")));
}

// A socket is connected from the network that it was made in.
TEST_F(RunWalls, ANetworkOfItsOwnWhereNothingIsConnected) {
  if (!has_pid_namespaces()) GTEST_SKIP() << "this user has no namespaces";
  script("", ":");
  EXPECT_THAT(walls(), Contains("NETWORK_NAMESPACE"));
  script("connect { address: \"127.0.0.1\" port: 9 }", ":");
  EXPECT_THAT(walls(), Not(Contains("NETWORK_NAMESPACE")));
}

TEST_F(RunWalls, WhereAWallIsNotGivenTheProgramRunsWithoutIt) {
  const Said said = script("", "echo ran", refuse_pid_namespaces);
  EXPECT_EQ(said.out, "ran\n") << said.err;
  EXPECT_THAT(walls(), Not(Contains("PID_NAMESPACE")));
}

TEST_F(RunWalls, UnlessThePolicyRequiresIt) {
  const Said said = script("require: PID_NAMESPACE", "echo ran", refuse_pid_namespaces);
  EXPECT_EQ(said.status, 125);
  EXPECT_EQ(said.out, "");
  EXPECT_THAT(said.err, HasSubstr("requires PID_NAMESPACE"));
  EXPECT_EQ(report().program_ended().how(), audit::ProgramEnded::TORNO_FAILED);
  if (!has_pid_namespaces()) return;
  EXPECT_EQ(script("require: PID_NAMESPACE", "echo ran").out, "ran\n");  // positive control
}

TEST_F(RunWalls, WhenItsTimeIsOverNobodyIsLeft) {
  RunCommand command({"--policy",
                      directory_.write("time.policy", std::string(kEverythingRead) +
                                                          "limit { wall_time: \"1s\" }\n"),
                      "--report", report_path(), "--", "/bin/sh", "-c",
                      "(while :; do :; done) & "
                      "echo started; while :; do :; done"});
  const Said said = command.wait();  // to the end of the output, which the child has too
  EXPECT_EQ(said.status, 137);
  EXPECT_EQ(said.out, "started\n");
  EXPECT_THAT(said.err, HasSubstr("after its time of 1s was over"));
  EXPECT_EQ(report().program_ended().how(), audit::ProgramEnded::TIMED_OUT);
}

TEST_F(RunWalls, TheWorkingDirectoryIsToldInAnyMountNamespace) {
  ASSERT_EQ(::mkdir(directory_.path("below").c_str(), 0755), 0);
  directory_.write("pwd.policy", std::string(kEverythingRead) +
                                     "file { path: \"/usr/bin/**\" allow: EXECUTE }\n");
  const Said said = run({"--policy", directory_.path("pwd.policy"), "--", "/bin/sh", "-c",
                         "cd \"$0\" && /usr/bin/env pwd -P", directory_.path("below")});
  EXPECT_EQ(said.out, directory_.path("below") + "\n") << said.err;
}

TEST_F(RunWalls, TheReportReplacesWhatStoodThereAndKeepsTheCallersMask) {
  directory_.write("report", "something older");
  script("", "exit 3", [] { ::umask(027); });
  EXPECT_EQ(report().program_ended().how(), audit::ProgramEnded::EXITED);
  EXPECT_EQ(report().program_ended().number(), 3);
  EXPECT_EQ(report().program_ended().program(), "/bin/sh");
  struct stat status{};
  ASSERT_EQ(::stat(report_path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0640U);
  script("", "kill -KILL $$");
  EXPECT_EQ(report().program_ended().how(), audit::ProgramEnded::SIGNALLED);
  EXPECT_EQ(report().program_ended().number(), 9);
}

TEST_F(RunWalls, AReportThatCannotBeWrittenIsAnError) {
  const Said said = run({"--report", directory_.path("none/report"), "--", "/bin/true"});
  EXPECT_EQ(said.status, 125);
  EXPECT_THAT(said.err, HasSubstr("cannot write the report"));
}

TEST_F(RunWalls, AReportIntoWhatIsNoPlainFileLeavesItThere) {
  const std::string fifo = directory_.path("fifo");
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  const Fd reader(::open(fifo.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  ASSERT_TRUE(reader);
  EXPECT_EQ(run({"--report", fifo, "--", "/bin/true"}).status, 0);
  char text[4096] = {};
  EXPECT_GT(::read(reader.get(), text, sizeof text - 1), 0);
  EXPECT_THAT(text, HasSubstr("EXITED"));
  struct stat status{};
  ASSERT_EQ(::lstat(fifo.c_str(), &status), 0);
  EXPECT_TRUE(S_ISFIFO(status.st_mode));
}

TEST_F(RunWalls, RequiredMdweIsInForce) {
  if (::prctl(66, 0, 0, 0, 0) < 0) GTEST_SKIP() << "this kernel has no MDWE";
  script("require: MDWE", ":");
  EXPECT_THAT(walls(), Contains("MDWE"));
  script("", ":");
  EXPECT_THAT(walls(), Not(Contains("MDWE")));
}

}  // namespace
}  // namespace torno::cli
