// open: which flags need which permission, and what is made.
#include "tests/broker/files/files_fixture.h"

namespace torno::files {
namespace {

class Open : public FilesFixture {};

constexpr int kLargeFile = 0100000;

TEST_F(Open, ReadsWhatMayBeRead) {
  write("file", "hello");
  allow(R"(file { path: "$D/file" allow: READ })");
  const Outcome outcome = open(at("file"));
  ASSERT_EQ(outcome.error, 0);
  EXPECT_EQ(contents(outcome.fd.get()), "hello");
  EXPECT_EQ(::fcntl(outcome.fd.get(), F_GETFL) & ~kLargeFile, O_RDONLY);
}

TEST_F(Open, EachAccessModeNeedsItsPermission) {
  write("file");
  const struct {
    const char* permissions;
    std::uint64_t flags;
    bool allowed;
  } cases[] = {
      {"READ", O_RDONLY, true},
      {"READ", O_WRONLY, false},
      {"READ", O_RDWR, false},
      {"WRITE", O_RDONLY, false},
      {"WRITE", O_WRONLY, true},
      {"WRITE", O_RDWR, false},
      {"[READ, WRITE]", O_RDWR, true},
      {"READ", O_RDONLY | O_TRUNC, false},
      {"WRITE", O_WRONLY | O_TRUNC, true},
      {"[READ, WRITE]", O_RDONLY | O_TRUNC, true},
      {"READ", O_RDONLY | O_APPEND, true},
      {"STAT", O_RDONLY, false},
      {"STAT", O_PATH, true},
      {"READ", O_PATH, true},
      {"CREATE", O_RDONLY, false},
      {"EXECUTE", O_RDONLY, false},
  };
  for (const auto& item : cases) {
    allow(std::string("file { path: \"$D/file\" allow: ") + item.permissions + " }");
    const Outcome outcome = open(at("file"), item.flags);
    EXPECT_EQ(outcome.error, item.allowed ? 0 : EACCES)
        << item.permissions << " flags " << item.flags;
    EXPECT_EQ(outcome.denial.has_value(), !item.allowed);
  }
}

TEST_F(Open, PutsTheFlagsAsAskedOnTheDescriptor) {
  write("file");
  allow(R"(file { path: "$D/file" allow: [READ, WRITE] })");
  for (const int flags : {O_RDWR | O_APPEND, O_RDWR | O_NONBLOCK, O_RDONLY | O_SYNC, O_WRONLY}) {
    for (const Wait wait : {Wait::kNever, Wait::kMayBlock}) {
      const OpenRequest request{.place = place(at("file")),
                                .flags = static_cast<std::uint64_t>(flags)};
      const Outcome outcome = files_->open(policy_, request, wait);
      if (outcome.would_block) continue;
      ASSERT_EQ(outcome.error, 0);
      EXPECT_EQ(::fcntl(outcome.fd.get(), F_GETFL) & ~kLargeFile, flags);
    }
  }
}

TEST_F(Open, ReadOnlyFileIsNotTruncated) {
  write("file", "precious");
  // The attack works where nobody checks.
  write("control", "precious");
  ::close(::open(at("control").c_str(), O_RDONLY | O_TRUNC | O_CLOEXEC));
  ASSERT_EQ(contents(at("control")), "");

  allow(R"(file { path: "$D/file" allow: READ })");
  EXPECT_TRUE(is_denied(open(at("file"), O_RDONLY | O_TRUNC), at("file")));
  EXPECT_TRUE(is_denied(open(at("file"), O_WRONLY | O_TRUNC), at("file")));
  EXPECT_TRUE(is_denied(open(at("file"), O_CREAT | O_RDONLY | O_TRUNC, 0600), at("file")));
  EXPECT_EQ(contents(at("file")), "precious");
}

TEST_F(Open, TruncatesWhatMayBeWritten) {
  write("file", "old");
  allow(R"(file { path: "$D/file" allow: WRITE })");
  EXPECT_EQ(open(at("file"), O_WRONLY | O_TRUNC).error, 0);
  EXPECT_EQ(contents(at("file")), "");
}

TEST_F(Open, CreateNeedsCreate) {
  write("old");
  allow(R"(file { path: "$D/**" allow: [READ, WRITE] })");
  EXPECT_EQ(open(at("old"), O_WRONLY | O_CREAT, 0600).error, 0);
  EXPECT_TRUE(is_denied(open(at("new"), O_WRONLY | O_CREAT, 0600), at("new")));
  EXPECT_TRUE(is_denied(open(at("old"), O_WRONLY | O_CREAT | O_EXCL, 0600), at("old")));
  EXPECT_TRUE(is_denied(open(at("new"), O_WRONLY | O_CREAT | O_EXCL, 0600), at("new")));
  EXPECT_NE(::access(at("new").c_str(), F_OK), 0);
  EXPECT_EQ(open(at("new"), O_RDONLY).error, ENOENT);
}

TEST_F(Open, CreateAloneDoesNotOpenForWriting) {
  allow(R"(file { path: "$D/**" allow: CREATE })");
  EXPECT_TRUE(is_denied(open(at("new"), O_WRONLY | O_CREAT, 0600)));
  EXPECT_NE(::access(at("new").c_str(), F_OK), 0);
}

TEST_F(Open, CreatesWithTheModeAsked) {
  allow(R"(file { path: "$D/**" allow: [WRITE, CREATE] })");
  for (const mode_t mode : {0666U, 0600U, 0777U, 0U}) {
    const std::string name = "file" + std::to_string(mode);
    ASSERT_EQ(open(at(name), O_WRONLY | O_CREAT, mode).error, 0);
    struct stat made{};
    ASSERT_EQ(::stat(at(name).c_str(), &made), 0);
    EXPECT_EQ(made.st_mode, S_IFREG | mode);
  }
}

TEST_F(Open, ExclusiveCreateFindsNothingOrFails) {
  write("old");
  link("missing", "dangling");
  allow(R"(file { path: "$D/**" allow: [WRITE, CREATE] })");
  EXPECT_EQ(open(at("new"), O_WRONLY | O_CREAT | O_EXCL, 0600).error, 0);
  EXPECT_EQ(open(at("old"), O_WRONLY | O_CREAT | O_EXCL, 0600).error, EEXIST);
  EXPECT_EQ(open(at("dangling"), O_WRONLY | O_CREAT | O_EXCL, 0600).error, EEXIST);
  EXPECT_NE(::access(at("missing").c_str(), F_OK), 0);
}

TEST_F(Open, DanglingLinkCreatesItsTargetIfThePolicyLetsIt) {
  make_directory("in");
  make_directory("out");
  link("made", "in/good");
  link("../out/made", "in/bad");
  allow(R"(file { path: "$D/in/**" allow: [WRITE, CREATE] })");
  EXPECT_EQ(open(at("in/good"), O_WRONLY | O_CREAT, 0600).error, 0);
  EXPECT_EQ(::access(at("in/made").c_str(), F_OK), 0);
  EXPECT_TRUE(is_denied(open(at("in/bad"), O_WRONLY | O_CREAT, 0600), at("out/made")));
  EXPECT_NE(::access(at("out/made").c_str(), F_OK), 0);
}

TEST_F(Open, CreateOfADirectoryIsEisdir) {
  make_directory("directory");
  allow(R"(file { path: "$D/**" allow: [READ, WRITE, CREATE] })");
  EXPECT_EQ(open(at("directory"), O_RDONLY | O_CREAT, 0600).error, EISDIR);
  EXPECT_EQ(open(at("directory/"), O_RDONLY | O_CREAT, 0600).error, EISDIR);
  EXPECT_EQ(open(at("missing/"), O_WRONLY | O_CREAT, 0600).error, EISDIR);
  EXPECT_EQ(open(at("directory"), O_WRONLY).error, EISDIR);
  for (const char* name : {"directory", "directory/", "directory/.", "directory/..", "directory/./",
                           "directory/..//", "/"}) {
    for (const int flags : {O_RDONLY | O_CREAT, O_RDONLY | O_CREAT | O_EXCL}) {
      const Fd native(::open(at(name).c_str(), flags | O_CLOEXEC, 0600));
      const int error = errno;
      ASSERT_FALSE(native) << name;
      EXPECT_EQ(open(at(name), static_cast<std::uint64_t>(flags), 0600).error, error)
          << name << ' ' << flags;
    }
  }
  EXPECT_EQ(open(at("missing/file"), O_WRONLY | O_CREAT, 0600).error, ENOENT);
}

TEST_F(Open, NeverMakesPrivilegedModes) {
  allow(R"(file { path: "$D/**" allow: [WRITE, CREATE] })");
  for (const mode_t mode : {04755U, 02755U, 01777U, 07777U}) {
    EXPECT_EQ(open(at("file"), O_WRONLY | O_CREAT, mode).error, EPERM);
  }
  EXPECT_EQ(open(at("file"), O_WRONLY | O_CREAT, 010600).error, EINVAL);
  EXPECT_NE(::access(at("file").c_str(), F_OK), 0);
}

TEST_F(Open, RefusesFlagsAsOpenat2Does) {
  write("file");
  make_directory("directory");
  allow(R"(file { path: "$D/**" allow: [READ, WRITE, CREATE] })");
  const std::uint64_t bad[] = {O_ACCMODE,
                               1ULL << 40,
                               1ULL << 26,
                               O_PATH | O_RDWR,
                               O_PATH | O_TRUNC,
                               O_CREAT | O_DIRECTORY,
                               O_TMPFILE,  // without write access
                               O_TMPFILE & ~O_DIRECTORY};
  for (const std::uint64_t flags : bad) {
    EXPECT_EQ(open(at("file"), flags).error, EINVAL) << flags;
  }
  EXPECT_EQ(open(at("file"), kLargeFile).error, 0);
  // A mode that no flag asks for comes from an absent argument.
  EXPECT_EQ(open(at("file"), O_RDONLY, 07777).error, 0);
}

TEST_F(Open, DirectoryIsReadWithRead) {
  make_directory("directory");
  write("file");
  allow(R"(file { path: "$D/**" allow: READ })");
  EXPECT_EQ(open(at("directory"), O_RDONLY | O_DIRECTORY).error, 0);
  for (const char* name : {"directory", "directory/", "directory/../directory/", "directory/."}) {
    for (const int flags : {O_RDONLY, O_RDONLY | O_NONBLOCK, O_RDONLY | O_DIRECTORY}) {
      for (int times = 0; times < 2; ++times) {  // the second one by the short way
        const Outcome outcome = open(at(name), static_cast<std::uint64_t>(flags));
        const Fd native(::open(at(name).c_str(), flags | O_CLOEXEC));
        EXPECT_EQ(::fcntl(outcome.fd.get(), F_GETFL), ::fcntl(native.get(), F_GETFL))
            << name << ' ' << flags;
      }
    }
  }
  EXPECT_EQ(open(at("file"), O_RDONLY | O_DIRECTORY).error, ENOTDIR);
  allow(R"(file { path: "$D/directory" allow: STAT })");
  EXPECT_TRUE(is_denied(open(at("directory"), O_RDONLY | O_DIRECTORY)));
  EXPECT_EQ(open(at("directory"), O_PATH | O_DIRECTORY).error, 0);
}

TEST_F(Open, LeadingDirectoryIsNotOpened) {
  make_directory("way/goal");
  allow(R"(file { path: "$D/way/goal/**" allow: READ })");
  EXPECT_TRUE(is_denied(open(at("way"), O_RDONLY | O_DIRECTORY), at("way")));
  EXPECT_TRUE(is_denied(open(at("way"), O_PATH | O_DIRECTORY), at("way")));
  EXPECT_EQ(open(at("way/goal"), O_RDONLY | O_DIRECTORY).error, 0);
}

TEST_F(Open, NoFollowOfALinkIsEloop) {
  write("file");
  link("file", "link");
  allow(R"(file { path: "$D/**" allow: READ })");
  EXPECT_EQ(open(at("link"), O_RDONLY | O_NOFOLLOW).error, ELOOP);
  EXPECT_EQ(open(at("link"), O_RDONLY | O_NOFOLLOW | O_DIRECTORY).error, ENOTDIR);
  const Outcome outcome = open(at("link"), O_PATH | O_NOFOLLOW);
  ASSERT_EQ(outcome.error, 0);
  struct stat found{};
  ASSERT_EQ(::fstat(outcome.fd.get(), &found), 0);
  EXPECT_TRUE(S_ISLNK(found.st_mode));
}

TEST_F(Open, NamelessFileIsMadeWhereItsNameWouldBeAllowed) {
  make_directory("out");
  make_directory("in");
  allow(R"(file { path: "$D/out/**" allow: [READ, WRITE, CREATE] }
           file { path: "$D/in/**" allow: [READ, WRITE] })");
  const Outcome made = open(at("out"), O_TMPFILE | O_RDWR, 0640);
  ASSERT_EQ(made.error, 0);
  struct stat file{};
  ASSERT_EQ(::fstat(made.fd.get(), &file), 0);
  EXPECT_EQ(file.st_mode, S_IFREG | 0640U);
  EXPECT_EQ(file.st_nlink, 0U);
  EXPECT_TRUE(is_denied(open(at("in"), O_TMPFILE | O_RDWR, 0600)));
  EXPECT_EQ(open(at("out"), O_TMPFILE | O_RDWR, 04600).error, EPERM);
}

TEST_F(Open, NamelessFileNeedsARuleBeneathTheDirectory) {
  make_directory("out");
  allow(R"(file { path: "$D/out" allow: [READ, WRITE, CREATE] })");
  EXPECT_TRUE(is_denied(open(at("out"), O_TMPFILE | O_RDWR, 0600)));
}

TEST_F(Open, SaysWhichRuleDenies) {
  write("file");
  allow("file { path: \"$D/**\" allow: READ }\nfile { path: \"$D/file\" deny: READ }");
  const Outcome outcome = open(at("file"));
  ASSERT_TRUE(is_denied(outcome, at("file")));
  EXPECT_EQ(outcome.denial->wanted, policy::kRead);
  ASSERT_NE(outcome.denial->rule, nullptr);
  EXPECT_EQ(outcome.denial->rule->line, 2);
}

TEST_F(Open, StackedPoliciesIntersect) {
  write("file");
  allow(R"(file { path: "$D/**" allow: [READ, WRITE] })");
  stack(R"(file { path: "$D/**" allow: READ })");
  EXPECT_EQ(open(at("file")).error, 0);
  EXPECT_TRUE(is_denied(open(at("file"), O_WRONLY)));
}

TEST_F(Open, WithoutAPolicyNothingIsAllowed) {
  write("file");
  EXPECT_TRUE(is_denied(open(at("file"))));
  EXPECT_TRUE(is_denied(stat(at("file"))));
  EXPECT_TRUE(is_denied(stat("/")));
}

TEST_F(Open, IoThreadNeverMakesNorTruncates) {
  write("file");
  allow(R"(file { path: "$D/**" allow: [READ, WRITE, CREATE] })");
  const std::uint64_t flags[] = {O_WRONLY | O_CREAT, O_WRONLY | O_TRUNC};
  for (const std::uint64_t flag : flags) {
    const std::string path = at((flag & O_CREAT) != 0 ? "new" : "file");
    const Outcome outcome =
        files_->open(policy_, {.place = place(path), .flags = flag, .mode = 0600}, Wait::kNever);
    EXPECT_TRUE(outcome.would_block);
    EXPECT_FALSE(outcome.fd);
  }
  EXPECT_NE(::access(at("new").c_str(), F_OK), 0);
  EXPECT_EQ(contents(at("file")), "text");
}

TEST_F(Open, IoThreadOpensWhatIsCached) {
  write("file");
  allow(R"(file { path: "$D/**" allow: READ })");
  ASSERT_EQ(open(at("file")).error, 0);
  const Outcome outcome = files_->open(policy_, {.place = place(at("file"))}, Wait::kNever);
  EXPECT_EQ(outcome.error, 0);
  // A temporary folder on a file system that is not local is the one reason to wait.
  EXPECT_NE(static_cast<bool>(outcome.fd), outcome.would_block);
}

}  // namespace
}  // namespace torno::files
