// Programs that make, move, change and remove files: in two folders that begin alike, the one as it
// is and the other under `torno run`. What they say and what they leave is the same.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/programs/workplace.h"

namespace torno::programs {
namespace {

namespace fs = std::filesystem;

// A line for every entry of a folder.
std::vector<std::string> describe(const Workplace& place, const std::string& folder) {
  std::vector<std::string> lines;
  for (const auto& entry : fs::recursive_directory_iterator(place.path(folder))) {
    struct stat status{};
    EXPECT_EQ(::lstat(entry.path().c_str(), &status), 0);
    const std::string name = fs::relative(entry.path(), place.path()).string();
    std::string line = name.substr(name.find('/') + 1);
    for (const auto number : {std::uint64_t{status.st_mode}, std::uint64_t{status.st_nlink},
                              std::uint64_t{status.st_uid}, std::uint64_t{status.st_gid}}) {
      line += " " + std::to_string(number);
    }
    // Not the time of the test itself.
    constexpr std::int64_t kLongAgo = 1'600'000'000;
    if (status.st_mtim.tv_sec < kLongAgo) line += " at " + std::to_string(status.st_mtim.tv_sec);
    if (S_ISREG(status.st_mode)) line += " holds " + place.read(name);
    if (S_ISLNK(status.st_mode)) line += " to " + fs::read_symlink(entry.path()).string();
    lines.push_back(line);
  }
  std::ranges::sort(lines);
  return lines;
}

void expect_same_tree(const std::string& script,
                      const std::vector<std::string>& policies = {"bash"}) {
  Workplace place;
  for (const char* folder : {"outside", "inside"}) {
    place.make_folder(folder);
    place.make_folder(folder + std::string("/dir"));
    place.make_folder(folder + std::string("/dir/deep"));
    place.write(folder + std::string("/file"), "one\ntwo\n");
    place.write(folder + std::string("/dir/inner"), "inner\n");
    place.write(folder + std::string("/dir/deep/last"), "last\n");
  }
  const std::string body = "cd \"$0\" && " + script;
  const Outcome expected = place.outside({"sh", "-c", body, "outside"});
  std::vector<std::string> options = {"--write", "inside"};
  for (const std::string& policy : policies) options.insert(options.end(), {"--policy", policy});
  const Outcome seen = place.inside(options, {"sh", "-c", body, "inside"});
  EXPECT_EQ(expected.status, 0) << expected.err;
  EXPECT_EQ(seen, expected) << script;
  EXPECT_EQ(describe(place, "inside"), describe(place, "outside")) << script;
}

TEST(ProgramsTrees, Coreutils) {
  expect_same_tree("mkdir -p a/b/c && mkdir -m 700 private && rmdir -p a/b/c && ls -A");
  expect_same_tree("mv file moved && mv moved dir/ && mv dir renamed && ls -AR");
  expect_same_tree("mv -v -n file dir/inner; mv -v -f file dir/inner; cat dir/inner");
  expect_same_tree("rm -r dir && rm -v file && ls -A");
  expect_same_tree("ln -s file soft && ln file hard && ln -sf dir/inner soft && readlink soft");
  expect_same_tree("touch -d 2001-02-03T04:05:06Z file new dir && stat -c '%n %Y' file new dir");
  expect_same_tree("cp -a dir copy && cp -p file other && cp -al dir linked && ls -AR");
  expect_same_tree("chmod -R go-rwx dir && chmod a+x file && stat -c '%n %a' file dir/inner");
  expect_same_tree("install -m 755 -D file bin/tool && ls -l bin | wc -l");
  expect_same_tree("truncate -s 3 file && mkfifo pipe && cat file");
  expect_same_tree("chown $(id -u):$(id -g) file && chgrp -h $(id -g) dir/inner && ls");
  expect_same_tree("mktemp -d here.XXXXXX > name && rmdir $(cat name) && rm name && ls");
}

TEST(ProgramsTrees, Sed) {
  TORNO_NEEDS("sed");
  expect_same_tree("chmod 640 file && sed -i.old s/two/three/ file && cat file file.old");
}

TEST(ProgramsTrees, Tar) {
  TORNO_NEEDS("tar");
  expect_same_tree(
      "ln -s inner dir/link && ln dir/inner dir/hard && chmod 751 dir/deep && "
      "touch -d 2001-02-03 dir/inner && tar -cf all.tar dir && rm -r dir && tar -xpf all.tar && "
      "tar -tf all.tar && rm all.tar");
}

TEST(ProgramsTrees, Perl) {
  TORNO_NEEDS("perl");
  expect_same_tree(
      "perl -e 'mkdir q(p) or die; rename q(file), q(p/file) or die; utime 1, 2, q(p/file) or die; "
      "chmod 0600, q(p/file) or die; symlink q(file), q(p/link) or die; unlink q(dir/inner) or "
      "die; "
      "rmdir q(dir) and die; print qq($!\\n)'",
      {"bash", "perl"});
}

// The launcher's folder of policies, and what no rule names, are as they were.
TEST(ProgramsTrees, WhatNoRuleNamesStays) {
  Workplace place;
  place.make_folder("mine");
  place.make_folder("others");
  place.write("others/file", "kept\n");
  const std::string script =
      "cd mine; rm ../others/file; mv ../others/file .; ln ../others/file .; "
      "touch ../others/file; chmod 777 ../others/file; mkdir ../others/new; mv ../others got; "
      "ln -s ../others way; rm -r way/file; echo > way/file; ls ../others; :";
  const Outcome seen = place.inside({"--policy", "bash", "--write", "mine"}, {"sh", "-c", script});
  EXPECT_EQ(seen.status, 0);
  EXPECT_EQ(seen.out, "");
  EXPECT_EQ(place.read("others/file"), "kept\n");
  EXPECT_FALSE(fs::exists(place.path("mine/got")));
  place.outside({"sh", "-c", script});
  EXPECT_FALSE(fs::exists(place.path("others/file")) && place.read("others/file") == "kept\n");
}

}  // namespace
}  // namespace torno::programs
