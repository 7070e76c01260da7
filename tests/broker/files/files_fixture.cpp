#include "tests/broker/files/files_fixture.h"

#include <filesystem>
#include <iterator>

#include "broker/base/error.h"
#include "broker/policy/loader.h"

namespace torno::files {

int open_descriptors() {
  const std::filesystem::directory_iterator entries("/proc/self/fd");
  return static_cast<int>(std::distance(begin(entries), end(entries)));
}

std::string contents(int fd) {
  std::string text(4096, '\0');
  const ssize_t size = ::pread(fd, text.data(), text.size(), 0);
  if (size < 0) return "?";
  text.resize(static_cast<std::size_t>(size));
  return text;
}

std::string contents(const std::string& path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  return contents(fd.get());
}

::testing::AssertionResult is_denied(const Outcome& outcome, const std::string& path) {
  if (outcome.error != EACCES) {
    return ::testing::AssertionFailure() << "the error is " << errno_name(outcome.error);
  }
  if (outcome.fd) return ::testing::AssertionFailure() << "there is a descriptor";
  if (!outcome.denial) return ::testing::AssertionFailure() << "there is no denial";
  if (!path.empty() && outcome.denial->path != path) {
    return ::testing::AssertionFailure() << "the denial names " << outcome.denial->path;
  }
  return ::testing::AssertionSuccess();
}

void FilesFixture::SetUp() {
  ::umask(0);
  descriptors_ = open_descriptors();
  make_files({});
}

void FilesFixture::TearDown() {
  files_.reset();
  EXPECT_EQ(open_descriptors(), descriptors_) << "a descriptor leaked";
}

void FilesFixture::make_files(const std::vector<std::string>& protected_paths) {
  auto files = Files::create(protected_paths);
  ASSERT_TRUE(files) << files.error().message;
  files_.emplace(std::move(*files));
}

policy::PolicyPtr FilesFixture::load(std::string text, const std::string& folder) {
  constexpr std::string_view kFolder = "$D";
  for (std::size_t i = 0; (i = text.find(kFolder, i)) != text.npos; i += folder.size()) {
    text.replace(i, kFolder.size(), folder);
  }
  policy::Loaded loaded = policy::load_text(text, "test", {});
  if (!loaded.policy) {
    for (const policy::Diagnostic& diagnostic : loaded.diagnostics) {
      ADD_FAILURE() << diagnostic.text();
    }
  }
  return loaded.policy;
}

void FilesFixture::allow(const std::string& rules) {
  policy_ = policy::PolicyStack();
  stack(rules);
}

void FilesFixture::stack(const std::string& rules) {
  policy::PolicyPtr policy = load(rules, folder_.path());
  if (policy) policy_.push(std::move(policy));
}

void FilesFixture::protect(const std::vector<std::string>& paths) {
  make_files(paths);
}

std::string FilesFixture::write(const std::string& name, const std::string& text) {
  return folder_.write(name, text);
}

void FilesFixture::make_directory(const std::string& name) {
  std::filesystem::create_directories(at(name));
}

void FilesFixture::link(const std::string& target, const std::string& name) {
  ASSERT_EQ(::symlink(target.c_str(), at(name).c_str()), 0);
}

Place FilesFixture::place(const std::string& path) {
  const std::string& kept = texts_.emplace_back(path);
  return {.base = Place::Base::kAbsolute, .path = kept, .cwd = {}, .fd = -1, .client = getpid()};
}

Place FilesFixture::place_at(int directory, const std::string& path) {
  Place place = this->place(path);
  place.base = Place::Base::kFd;
  place.fd = directory;
  return place;
}

Place FilesFixture::place_in(const std::string& cwd, const std::string& path) {
  Place place = this->place(path);
  place.base = Place::Base::kCwd;
  place.cwd = texts_.emplace_back(cwd);
  return place;
}

Place FilesFixture::place_of(int descriptor, const std::string& path) {
  Place place = this->place(path);
  place.base = Place::Base::kSelfFd;
  place.fd = descriptor;
  return place;
}

namespace {

void expect_alike(const Outcome& fast, const Outcome& slow) {
  if (fast.would_block) return;
  EXPECT_EQ(fast.error, slow.error);
  EXPECT_EQ(static_cast<bool>(fast.fd), static_cast<bool>(slow.fd));
  EXPECT_EQ(fast.target, slow.target);
  EXPECT_EQ(fast.stat.stx_ino, slow.stat.stx_ino);
  EXPECT_EQ(fast.denial.has_value(), slow.denial.has_value());
}

}  // namespace

Outcome FilesFixture::open(const OpenRequest& request) {
  constexpr std::uint64_t kTmpfileBit = O_TMPFILE & ~O_DIRECTORY;
  std::optional<Outcome> fast;
  if ((request.flags & (O_CREAT | O_TRUNC | kTmpfileBit)) == 0) {
    fast = files_->open(policy_, request, Wait::kNever);
  }
  Outcome slow = files_->open(policy_, request, Wait::kMayBlock);
  EXPECT_FALSE(slow.would_block);
  if (fast) expect_alike(*fast, slow);
  return slow;
}

Outcome FilesFixture::open(const std::string& path, std::uint64_t flags, std::uint32_t mode,
                           std::uint64_t resolve) {
  return open({.place = place(path), .flags = flags, .mode = mode, .resolve = resolve});
}

Outcome FilesFixture::stat(const StatRequest& request) {
  const Outcome fast = files_->stat(policy_, request, Wait::kNever);
  Outcome slow = files_->stat(policy_, request, Wait::kMayBlock);
  EXPECT_FALSE(slow.would_block);
  expect_alike(fast, slow);
  return slow;
}

Outcome FilesFixture::stat(const std::string& path, std::uint32_t flags) {
  return stat({.place = place(path), .flags = flags, .mask = STATX_BASIC_STATS});
}

Outcome FilesFixture::access(const AccessRequest& request) {
  const Outcome fast = files_->access(policy_, request, Wait::kNever);
  Outcome slow = files_->access(policy_, request, Wait::kMayBlock);
  EXPECT_FALSE(slow.would_block);
  expect_alike(fast, slow);
  return slow;
}

Outcome FilesFixture::access(const std::string& path, std::uint32_t mode, std::uint32_t flags) {
  return access({.place = place(path), .mode = mode, .flags = flags});
}

Outcome FilesFixture::readlink(const ReadlinkRequest& request) {
  const Outcome fast = files_->readlink(policy_, request, Wait::kNever);
  Outcome slow = files_->readlink(policy_, request, Wait::kMayBlock);
  EXPECT_FALSE(slow.would_block);
  expect_alike(fast, slow);
  return slow;
}

Outcome FilesFixture::readlink(const std::string& path, std::uint32_t size) {
  return readlink({.place = place(path), .size = size});
}

}  // namespace torno::files
