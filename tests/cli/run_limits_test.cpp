// torno run: limits, whatever holds them, against programs that would use up what they can get.
#include <dirent.h>
#include <gmock/gmock.h>
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <memory>
#include <sstream>

#include "broker/launch/cgroup_place.h"
#include "proto/audit.pb.h"
#include "tests/cli/run_command.h"

namespace torno::cli {
namespace {

using launch::Controller;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr const char* kEverything = "profile: NO_NETWORK\n";
constexpr const char* kNoCgroup = "wall: [USER_NAMESPACE, PID_NAMESPACE]\n";

// Up to 64 processes, each of which stays: an x before each birth, a minus where there was none, a
// point for each process that has tried all it wanted.
constexpr const char* kForkBomb =
    "for (1..6) { syswrite STDOUT, 'x'; defined fork or syswrite STDOUT, '-'; } "
    "syswrite STDOUT, '.'; "
    "sleep 1000";
constexpr const char* kMemoryBomb = "my $x = 'a' x (128 << 20); print length $x";
constexpr const char* kLong = "134217728";

class RunLimits : public testing::Test {
 protected:
  std::vector<std::string> words(const std::string& policy, const std::string& text,
                                 const std::string& program = "/usr/bin/perl") {
    const std::string file = directory_.write("limits.policy", kEverything + policy);
    return {"--policy",
            file,
            "--report",
            directory_.path("report"),
            "--",
            program,
            program.ends_with("perl") ? "-e" : "-c",
            text};
  }
  Said perl(const std::string& policy, const std::string& text) { return run(words(policy, text)); }

  audit::ProgramEnded report() const {
    std::ifstream file(directory_.path("report"));
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    audit::Event event;
    EXPECT_TRUE(google::protobuf::util::JsonStringToMessage(text, &event).ok()) << text;
    return event.program_ended();
  }
  std::vector<std::string> limits() const {
    const audit::ProgramEnded ended = report();
    return {ended.limits().begin(), ended.limits().end()};
  }
  // Does a cgroup hold such a limit for this user?
  bool has_cgroup(const std::string& limit) {
    return perl("require: CGROUP\n" + limit, "1").status == 0;
  }

  TemporaryDirectory directory_;
};

// How many processes a fork bomb came to; then it is ended, and nobody is left.
int alive(RunCommand& command) {
  int born = 1;
  int done = 0;
  char letter = 0;
  while (done < born && ::read(command.output(), &letter, 1) == 1) {
    born += letter == 'x' ? 1 : letter == '-' ? -1 : 0;
    done += letter == '.' ? 1 : 0;
  }
  command.signal(SIGTERM);
  command.wait();  // to the end of the output, which all of them hold
  return born;
}

TEST_F(RunLimits, WithoutALimitAForkBombGrows) {
  RunCommand command(words("", kForkBomb));
  EXPECT_EQ(alive(command), 64);
}

TEST_F(RunLimits, ACgroupBoundsAForkBomb) {
  if (!has_cgroup("limit { processes: 16 }")) GTEST_SKIP() << "this user has no cgroup for pids";
  RunCommand command(words("limit { processes: 16 }\n", kForkBomb));
  EXPECT_EQ(alive(command), 16);
  EXPECT_THAT(limits(), Contains(StartsWith("processes: cgroup v")));
}

TEST_F(RunLimits, AUserNamespaceBoundsAForkBombOfAnOrdinaryUser) {
  const std::string policy = std::string(kNoCgroup) + "limit { processes: 16 }\n";
  if (::geteuid() == 0) {
    const Said said = perl(policy, "print 'ran'");
    EXPECT_EQ(said.status, 125);
    EXPECT_EQ(said.out, "");
    EXPECT_THAT(said.err, HasSubstr("limits processes to more than 1, which needs a cgroup"));
    return;
  }
  if (perl(std::string(kNoCgroup) + "require: USER_NAMESPACE\n", "1").status != 0) {
    GTEST_SKIP() << "this user has no user namespace";
  }
  RunCommand command(words(policy, kForkBomb));
  EXPECT_EQ(alive(command), 16);
  EXPECT_THAT(limits(), Contains("processes: user namespace"));
}

TEST_F(RunLimits, NothingThatHoldsALimitIsAnError) {
  const Said said = perl("wall: LANDLOCK\nlimit { processes: 16 }\n", "print 'ran'");
  EXPECT_EQ(said.status, 125);
  EXPECT_THAT(said.err, HasSubstr("limits processes to more than 1"));
  const Said cpus = perl("wall: LANDLOCK\nlimit { cpus: \"1\" }\n", "print 'ran'");
  EXPECT_EQ(cpus.status, 125);
  EXPECT_THAT(cpus.err, HasSubstr("limits cpus, which only a cgroup holds"));
  EXPECT_EQ(said.out + cpus.out, "");
}

TEST_F(RunLimits, OneProcessIsHeldByTheFilter) {
  EXPECT_EQ(perl("limit { processes: 1 }\n", "print defined fork ? 'forked' : 'refused'").out,
            "refused");
  EXPECT_THAT(limits(), Contains("processes: filter"));
}

TEST_F(RunLimits, WithoutALimitMemoryIsTaken) {
  EXPECT_EQ(perl("", kMemoryBomb).out, kLong);
}

TEST_F(RunLimits, ACgroupBoundsMemoryAndItIsTold) {
  const std::string limit = "limit { memory: \"64M\" }\n";
  if (!has_cgroup(limit)) GTEST_SKIP() << "this user has no cgroup for memory";
  const Said said = perl(limit, kMemoryBomb);
  EXPECT_EQ(said.status, 137);
  EXPECT_EQ(said.out, "");
  EXPECT_THAT(said.err, HasSubstr("when its memory of 64M was used up"));
  EXPECT_EQ(report().how(), audit::ProgramEnded::OUT_OF_MEMORY);
  EXPECT_THAT(limits(), Contains(StartsWith("memory: cgroup v")));
  const audit::ProgramEnded ended = report();
  EXPECT_THAT(ended.walls(), Contains("CGROUP"));
  // A kill of another kind is not taken for it.
  EXPECT_EQ(perl(limit, "kill 'KILL', $$; sleep 1000").status, 137);
  EXPECT_EQ(report().how(), audit::ProgramEnded::SIGNALLED);
}

TEST_F(RunLimits, MemoryOfAllProcessesCounts) {
  const std::string limit = "limit { memory: \"64M\" }\n";
  if (!has_cgroup(limit)) GTEST_SKIP() << "this user has no cgroup for memory";
  // Four times 32M, each of which would do alone.
  const std::string four =
      "my @c; for (1..4) { pipe my $r, my $w; my $p = fork; if (!$p) { my $x = 'a' x (32 << 20); "
      "syswrite $w, 'x'; sleep 1000 } close $w; push @c, $r } "
      "my $n = 0; for (@c) { $n += sysread $_, my $b, 1 } print $n";
  EXPECT_THAT(perl("", four).out, "4");
  EXPECT_NE(perl(limit, four).out, "4");
}

TEST_F(RunLimits, WithoutACgroupAddressSpaceIsBounded) {
  const Said said = perl(std::string(kNoCgroup) + "limit { memory: \"64M\" }\n", kMemoryBomb);
  EXPECT_NE(said.status, 0);
  EXPECT_EQ(said.out, "");
  EXPECT_THAT(said.err, Not(HasSubstr("was used up")));
  EXPECT_THAT(limits(), Contains("memory: address space"));
}

// As Go, Java and sanitizers do.
TEST_F(RunLimits, UnderACgroupAddressSpaceIsFree) {
  const std::string limit = "limit { memory: \"64M\" }\n";
  constexpr const char* kReserve = "import mmap; print(len(mmap.mmap(-1, 1 << 30)))";
  constexpr const char* kPython = "/usr/bin/python3";
  EXPECT_NE(run(words(kNoCgroup + limit, kReserve, kPython)).status, 0);
  if (!has_cgroup(limit)) GTEST_SKIP() << "this user has no cgroup for memory";
  EXPECT_EQ(run(words(limit, kReserve, kPython)).out, "1073741824\n");
}

std::vector<std::string> cgroups_of(const std::string& parent, pid_t launcher) {
  const std::string prefix = "torno-" + std::to_string(launcher) + "-";
  std::vector<std::string> found;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(parent.c_str()), ::closedir);
  while (const dirent* entry = folder == nullptr ? nullptr : ::readdir(folder.get())) {
    if (std::string(entry->d_name).starts_with(prefix))
      found.push_back(parent + "/" + entry->d_name);
  }
  return found;
}

std::string content(const std::string& path) {
  std::ifstream file(path);
  std::string text;
  std::getline(file, text);
  return text;
}

TEST_F(RunLimits, ACgroupSharesProcessors) {
  const std::string limit = "limit { cpus: \"0.2\" }\n";
  if (!has_cgroup(limit)) GTEST_SKIP() << "this user has no cgroup for cpu";
  const auto places = launch::find_cgroup_places({Controller::kCpu}, true);
  ASSERT_EQ(places.found.size(), 1U);
  const launch::CgroupPlace& place = places.found.front();
  RunCommand command(words(limit, "$| = 1; print qq(started\\n); <STDIN>"));
  ASSERT_EQ(command.read_line(), "started");
  const auto folders = cgroups_of(place.folder, command.pid());
  ASSERT_EQ(folders.size(), 1U);
  if (place.version == launch::CgroupVersion::kV2) {
    EXPECT_EQ(content(folders[0] + "/cpu.max"), "20000 100000");
  } else {
    EXPECT_EQ(content(folders[0] + "/cpu.cfs_quota_us"), "20000");
    EXPECT_EQ(content(folders[0] + "/cpu.cfs_period_us"), "100000");
  }
  EXPECT_NE(content(folders[0] + "/cgroup.procs"), "");
  command.close_input();
  EXPECT_EQ(command.wait().status, 0);
  EXPECT_THAT(limits(), Contains(StartsWith("cpus: cgroup v")));
  EXPECT_EQ(cgroups_of(place.folder, command.pid()).size(), 0U);
}

TEST_F(RunLimits, RequiredCgroupWithoutALimitIsAnError) {
  const Said said = perl("require: CGROUP\n", "print 'ran'");
  EXPECT_EQ(said.status, 125);
  EXPECT_EQ(said.out, "");
  EXPECT_THAT(said.err, HasSubstr("sets no limit that one holds"));
}

TEST_F(RunLimits, AFileOfLimitedSize) {
  const std::string fill = "open F, '>', '" + directory_.path("filled") +
                           "' or die; my $b = 'a' x 65536; for (1..32) { "
                           "syswrite(F, $b) == 65536 or die } print 'filled'";
  EXPECT_EQ(perl("", fill).out, "filled");
  const Said said = perl("limit { file_size: \"1M\" }\n", fill);
  EXPECT_EQ(said.out, "");
  EXPECT_EQ(said.status, 128 + SIGXFSZ);
  EXPECT_THAT(said.err, HasSubstr("SIGXFSZ"));
}

}  // namespace
}  // namespace torno::cli
