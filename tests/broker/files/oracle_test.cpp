// errno tells no more than the policy does: outside what it lets be seen, what exists and what
// does not answer alike, whatever is asked.
#include <functional>

#include "tests/broker/files/files_fixture.h"

namespace torno::files {
namespace {

class Oracle : public FilesFixture {
 protected:
  void SetUp() override {
    FilesFixture::SetUp();
    make_directory("allowed");
    make_directory("hidden/directory");
    write("hidden/file");
    link("file", "hidden/link");
    link("nowhere", "hidden/dangling");
    link("loop", "hidden/loop");
    ASSERT_EQ(::mkfifo(at("hidden/fifo").c_str(), 0666), 0);
    link("../hidden/file", "allowed/to_file");
    link("../hidden/missing", "allowed/to_missing");
    link("../hidden/directory/missing", "allowed/to_deep_missing");
    allow(R"(file { path: "$D/allowed/**" allow: [READ, WRITE, CREATE, EXECUTE] })");
  }

  struct Call {
    const char* name;
    std::function<Outcome(const std::string&)> ask;
  };

  std::vector<Call> calls() {
    return {
        {"open", [this](const std::string& path) { return open(path); }},
        {"open O_PATH", [this](const std::string& path) { return open(path, O_PATH); }},
        {"open O_PATH|O_NOFOLLOW",
         [this](const std::string& path) { return open(path, O_PATH | O_NOFOLLOW); }},
        {"open O_DIRECTORY", [this](const std::string& path) { return open(path, O_DIRECTORY); }},
        {"open O_WRONLY", [this](const std::string& path) { return open(path, O_WRONLY); }},
        {"open O_CREAT",
         [this](const std::string& path) { return open(path, O_WRONLY | O_CREAT, 0600); }},
        {"open O_EXCL",
         [this](const std::string& path) { return open(path, O_WRONLY | O_CREAT | O_EXCL, 0600); }},
        {"open O_TMPFILE",
         [this](const std::string& path) { return open(path, O_WRONLY | O_TMPFILE, 0600); }},
        {"open RESOLVE_NO_SYMLINKS",
         [this](const std::string& path) { return open(path, O_RDONLY, 0, 4); }},
        {"stat", [this](const std::string& path) { return stat(path); }},
        {"lstat", [this](const std::string& path) { return stat(path, AT_SYMLINK_NOFOLLOW); }},
        {"access F_OK", [this](const std::string& path) { return access(path, F_OK); }},
        {"access R_OK", [this](const std::string& path) { return access(path, R_OK); }},
        {"access X_OK", [this](const std::string& path) { return access(path, X_OK); }},
        {"readlink", [this](const std::string& path) { return readlink(path); }},
    };
  }
};

TEST_F(Oracle, HiddenPlacesAnswerAlike) {
  // The control: a program outside any sandbox learns all of it.
  ASSERT_EQ(::access(at("hidden/file").c_str(), F_OK), 0);
  ASSERT_NE(::access(at("hidden/missing").c_str(), F_OK), 0);

  const char* names[] = {
      "hidden",
      "hidden/",
      "hidden/file",
      "hidden/missing",
      "hidden/directory",
      "hidden/missing/x",
      "hidden/file/x",
      "hidden/link",
      "hidden/dangling",
      "hidden/loop",
      "hidden/fifo",
      "hidden/directory/",
      "hidden/file/",
      "hidden/missing/",
      "hidden/../missing",
      "missing",
      "missing/..",
      "missing/../allowed",
      "hidden/../allowed",
      "hidden/link/..",
  };
  for (const Call& call : calls()) {
    for (const char* name : names) {
      const Outcome outcome = call.ask(at(name));
      EXPECT_TRUE(is_denied(outcome)) << call.name << " " << name;
      EXPECT_EQ(outcome.stat.stx_mode, 0) << call.name << " " << name;
      EXPECT_EQ(outcome.target, "") << call.name << " " << name;
    }
  }
}

TEST_F(Oracle, LinksOutOfTheAllowedPlaceAnswerAlike) {
  for (const Call& call : calls()) {
    const std::string name = call.name;
    const bool looks_at_the_link = name == "lstat" || name == "readlink" ||
                                   name == "open O_PATH|O_NOFOLLOW" || name == "open O_EXCL" ||
                                   name == "open RESOLVE_NO_SYMLINKS";
    if (looks_at_the_link) continue;
    for (const char* link : {"allowed/to_file", "allowed/to_missing", "allowed/to_deep_missing"}) {
      EXPECT_TRUE(is_denied(call.ask(at(link)))) << name << " " << link;
    }
  }
}

TEST_F(Oracle, AllowedPlacesSayWhatIsMissing) {
  EXPECT_EQ(open(at("allowed/missing")).error, ENOENT);
  EXPECT_EQ(stat(at("allowed/missing")).error, ENOENT);
  EXPECT_EQ(access(at("allowed/missing"), F_OK).error, ENOENT);
  EXPECT_EQ(readlink(at("allowed/missing")).error, ENOENT);
}

TEST_F(Oracle, PlaceThatMayBeSeenSaysWhatIsMissing) {
  allow(R"(file { path: "$D/hidden/**" allow: STAT })");
  EXPECT_EQ(open(at("hidden/missing")).error, ENOENT);
  EXPECT_TRUE(is_denied(open(at("hidden/file"))));
  EXPECT_TRUE(is_denied(open(at("hidden/missing"), O_WRONLY | O_CREAT, 0600)));
}

TEST_F(Oracle, DenyHidesWhatAnAllowShows) {
  allow(R"(file { path: "$D/**" allow: READ } file { path: "$D/hidden/**" deny: READ })");
  for (const char* name : {"hidden/file", "hidden/missing", "hidden/directory/x"}) {
    EXPECT_TRUE(is_denied(open(at(name)))) << name;
    EXPECT_TRUE(is_denied(stat(at(name)))) << name;
  }
}

}  // namespace
}  // namespace torno::files
