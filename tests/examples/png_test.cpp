// torno-png: what it writes is what pngtopnm writes; what the policy leaves out is refused.
#include <gtest/gtest.h>
#include <png.h>
#include <zlib.h>

#include <filesystem>

#include "tests/examples/files.h"
#include "tests/examples/pictures.h"
#include "tests/examples/process.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/tornod_process.h"

namespace torno::examples {
namespace {

using test::TemporaryDirectory;

constexpr int kDone = 0;
constexpr int kBadPicture = 1;
constexpr int kBadUsage = 2;
constexpr int kNotSealed = 3;
constexpr int kNoAccess = 4;

std::string with_pngtopnm(const std::string& png) {
  const Result result = run({"pngtopnm", png});
  EXPECT_EQ(result.status, 0) << "pngtopnm (package netpbm): " << result.err;
  return result.out;
}

void expect_equal(const std::string& png, const TemporaryDirectory& directory) {
  const std::string output = directory.path() + "/out.pnm";
  const Result result = run({program("torno-png"), png, output});
  ASSERT_EQ(result.status, kDone) << result.err;
  // Bytes, and not EXPECT_EQ: a megabyte of picture in a log helps nobody.
  EXPECT_TRUE(read_file(output) == with_pngtopnm(png)) << png;
}

class EveryKind : public testing::TestWithParam<Kind> {};

TEST_P(EveryKind, IsWhatPngtopnmWrites) {
  const TemporaryDirectory directory;
  directory.write("in.png", make_png(GetParam()));
  expect_equal(directory.path() + "/in.png", directory);
}

INSTANTIATE_TEST_SUITE_P(
    Png, EveryKind,
    testing::Values(
        Kind{"rgb", PNG_COLOR_TYPE_RGB, 8}, Kind{"rgb16", PNG_COLOR_TYPE_RGB, 16},
        Kind{"rgba", PNG_COLOR_TYPE_RGBA, 8}, Kind{"rgba16", PNG_COLOR_TYPE_RGBA, 16},
        Kind{"gray", PNG_COLOR_TYPE_GRAY, 8}, Kind{"gray1", PNG_COLOR_TYPE_GRAY, 1},
        Kind{"gray2", PNG_COLOR_TYPE_GRAY, 2}, Kind{"gray4", PNG_COLOR_TYPE_GRAY, 4},
        Kind{"gray16", PNG_COLOR_TYPE_GRAY, 16}, Kind{"gray_alpha", PNG_COLOR_TYPE_GA, 8},
        Kind{"gray_alpha16", PNG_COLOR_TYPE_GA, 16}, Kind{"palette1", PNG_COLOR_TYPE_PALETTE, 1},
        Kind{"palette4", PNG_COLOR_TYPE_PALETTE, 4}, Kind{"palette8", PNG_COLOR_TYPE_PALETTE, 8},
        Kind{.name = "gray_palette",
             .color_type = PNG_COLOR_TYPE_PALETTE,
             .depth = 8,
             .gray_palette = true},
        Kind{"rgb_interlaced", PNG_COLOR_TYPE_RGB, 8, true},
        Kind{"gray1_interlaced", PNG_COLOR_TYPE_GRAY, 1, true},
        Kind{"palette_interlaced", PNG_COLOR_TYPE_PALETTE, 4, true},
        Kind{"rgb_5_bits", PNG_COLOR_TYPE_RGB, 8, false, 5},
        Kind{"gray16_10_bits", PNG_COLOR_TYPE_GRAY, 16, false, 10},
        Kind{"gray16_8_bits", PNG_COLOR_TYPE_GRAY, 16, false, 8},
        Kind{"gray4_1_bit", PNG_COLOR_TYPE_GRAY, 4, false, 1},
        Kind{"palette_4_bits", PNG_COLOR_TYPE_PALETTE, 8, false, 4}),
    [](const auto& instance) { return instance.param.name; });

TEST(Png, DecodesThePictureOfTheDemo) {
  const TemporaryDirectory directory;
  expect_equal(TORNO_SOURCE_DIR "/examples/png/planet.png", directory);
}

TEST(Png, DecodesPicturesOfTheSystem) {
  constexpr int kEnough = 20;
  const TemporaryDirectory directory;
  int found = 0;
  const auto options = std::filesystem::directory_options::skip_permission_denied;
  for (const auto& entry : std::filesystem::recursive_directory_iterator("/usr/share", options)) {
    if (found == kEnough) break;
    if (entry.path().extension() != ".png" || !entry.is_regular_file()) continue;
    expect_equal(std::filesystem::canonical(entry.path()), directory);
    ++found;
  }
  RecordProperty("pictures", found);  // a minimal system has none, and that is no failure
}

TEST(Png, AFileNameWithGlobCharactersAllowsThatFileAlone) {
  const TemporaryDirectory directory;
  const std::string png = make_png({"rgb", PNG_COLOR_TYPE_RGB, 8});
  directory.write("a*.png", png);
  expect_equal(directory.path() + "/a*.png", directory);
}

TEST(Png, OverwritesWhatIsThere) {
  const TemporaryDirectory directory;
  directory.write("in.png", make_png({"rgb", PNG_COLOR_TYPE_RGB, 8}));
  directory.write("out.pnm", std::string(100'000, 'x'));
  expect_equal(directory.path() + "/in.png", directory);
}

// ---------------------------------------------------------- paths as people type them

// In the folder `work`, which is the working directory of what they run.
struct Relative : testing::Test {
  Relative() {
    std::filesystem::create_directory(directory.path() + "/work");
    directory.write("work/in.png", png);
    std::filesystem::current_path(directory.path() + "/work");
  }
  ~Relative() override { std::filesystem::current_path(before); }
  void expect_decoded(const std::string& from, const std::string& to) {
    const Result result = run({program("torno-png"), from, to});
    EXPECT_EQ(result.status, kDone) << result.err;
    EXPECT_TRUE(read_file(to) == with_pngtopnm(from)) << from << ' ' << to;
  }
  std::string said(const std::string& from) {
    const Result result = run({program("torno-png"), from, "out.ppm"});
    EXPECT_EQ(result.status, kNoAccess) << result.err;
    EXPECT_FALSE(exists("out.ppm"));
    return result.said_by("torno-png");
  }
  const std::filesystem::path before = std::filesystem::current_path();
  const TemporaryDirectory directory;
  const std::string png = make_png({"rgb", PNG_COLOR_TYPE_RGB, 8});
};

TEST_F(Relative, ANewOutputInTheCurrentDirectory) {
  expect_decoded("in.png", "out.ppm");
}

TEST_F(Relative, PathsWithDots) {
  directory.write("above.png", png);
  expect_decoded("../above.png", "./../above.ppm");
  expect_decoded("../work/in.png", "../work/out.ppm");
}

TEST_F(Relative, AnInputThatIsASymlinkAllowsWhatItLeadsTo) {
  directory.write("above.png", png);
  std::filesystem::create_symlink("../above.png", "link.png");
  std::filesystem::create_symlink("link.png", "second.png");
  expect_decoded("second.png", "out.ppm");
}

TEST_F(Relative, ADirectoryThatIsASymlink) {
  std::filesystem::create_directory("real");
  std::filesystem::create_directory_symlink("real", "linked");
  directory.write("work/real/in.png", png);
  expect_decoded("linked/in.png", "linked/out.ppm");
}

TEST_F(Relative, AMissingInputIsMissing) {
  EXPECT_EQ(said("none.png"),
            "torno-png: error: cannot open none.png: No such file or directory\n");
  EXPECT_EQ(said("none/none.png"),
            "torno-png: error: cannot open none/none.png: No such file or directory\n");
}

TEST_F(Relative, APathThatLeadsNowhereIsOneLine) {
  std::filesystem::create_symlink("loop.png", "loop.png");
  EXPECT_EQ(said("loop.png"),
            "torno-png: error: cannot find loop.png: Too many levels of symbolic links\n");
  EXPECT_TRUE(said("").starts_with("torno-png: error: cannot find : "));
}

// ------------------------------------------------------------------------- broken pictures

void expect_bad_picture(const std::string& bytes) {
  const TemporaryDirectory directory;
  directory.write("in.png", bytes);
  const Result result =
      run({program("torno-png"), directory.path() + "/in.png", directory.path() + "/out.pnm"});
  EXPECT_EQ(result.status, kBadPicture) << result.err;
  EXPECT_TRUE(result.err.starts_with("torno-png: error: " + directory.path() + "/in.png" + ": "))
      << result.err;
  EXPECT_EQ(result.err.find('\n'), result.err.size() - 1) << result.err;
  EXPECT_FALSE(exists(directory.path() + "/out.pnm"));
}

TEST(Png, ATruncatedFileLeavesNoOutput) {
  const std::string png = make_png({"rgb", PNG_COLOR_TYPE_RGB, 8});
  for (const std::size_t size : {std::size_t{0}, std::size_t{4}, std::size_t{20}, std::size_t{60},
                                 png.size() / 2, png.size() - 20}) {
    expect_bad_picture(png.substr(0, size));
  }
}

TEST(Png, ACorruptFileLeavesNoOutput) {
  const std::string png = make_png({"rgb", PNG_COLOR_TYPE_RGB, 8});
  std::string no_png = png;
  no_png[1] = 'Q';
  expect_bad_picture(no_png);
  std::string bad_header = png;
  bad_header[20] = '\x7f';  // the height, which its CRC no longer matches
  expect_bad_picture(bad_header);
  std::string bad_data = png;
  bad_data[png.size() / 2] = static_cast<char>(~bad_data[png.size() / 2]);
  expect_bad_picture(bad_data);
}

TEST(Png, AHeaderThatClaimsAHugePictureIsRefusedBeforeMemoryIsAskedFor) {
  std::string png =
      make_png({.name = "", .color_type = PNG_COLOR_TYPE_RGB, .depth = 8, .width = 1, .height = 1});
  const std::string size("\x00\x0f\x42\x40\x00\x0f\x42\x40", 8);  // 1,000,000 x 1,000,000
  png.replace(16, 8, size);
  const auto crc = crc32(0, reinterpret_cast<const Bytef*>(png.data()) + 12, 17);
  for (std::size_t i = 0; i < 4; ++i) png[29 + i] = static_cast<char>(crc >> (24 - 8 * i));
  expect_bad_picture(png);
}

// ------------------------------------------------------------------------------- the policy

// A policy of two folders, as a shared broker would have it.
std::string folders(const std::string& in, const std::string& out) {
  return "file { path: \"" + in + "/**\" allow: READ }\n" +  //
         "file { path: \"" + out + "/**\" allow: [WRITE, CREATE] }\n";
}

struct Folders : testing::Test {
  Folders() {
    for (const std::string& folder : {in, out, elsewhere}) {
      std::filesystem::create_directory(folder);
    }
    png = make_png({"rgb", PNG_COLOR_TYPE_RGB, 8});
    directory.write("in/a.png", png);
    directory.write("elsewhere/b.png", png);
    directory.write("two.policy", folders(in, out));
  }
  Result decode(const std::string& from, const std::string& to) {
    return run({program("torno-png"), "--policy", directory.path() + "/two.policy", from, to});
  }
  TemporaryDirectory directory;
  const std::string in = directory.path() + "/in";
  const std::string out = directory.path() + "/out";
  const std::string elsewhere = directory.path() + "/elsewhere";
  std::string png;
};

TEST_F(Folders, WhatThePolicyAllowsWorks) {
  const Result result = decode(in + "/a.png", out + "/a.ppm");
  EXPECT_EQ(result.status, kDone) << result.err;
  EXPECT_TRUE(read_file(out + "/a.ppm") == with_pngtopnm(in + "/a.png"));
}

TEST_F(Folders, AnInputOutsideThePolicyIsRefused) {
  const Result result = decode(elsewhere + "/b.png", out + "/b.ppm");
  EXPECT_EQ(result.status, kNoAccess);
  EXPECT_EQ(result.said_by("torno-png"),
            "torno-png: error: cannot open " + elsewhere + "/b.png: Permission denied\n");
  EXPECT_FALSE(exists(out + "/b.ppm"));
}

TEST_F(Folders, AnOutputOutsideThePolicyIsRefused) {
  const Result result = decode(in + "/a.png", elsewhere + "/a.ppm");
  EXPECT_EQ(result.status, kNoAccess);
  EXPECT_EQ(result.said_by("torno-png"),
            "torno-png: error: cannot create " + elsewhere + "/a.ppm: Permission denied\n");
  EXPECT_FALSE(exists(elsewhere + "/a.ppm"));
}

TEST_F(Folders, AnInputIsNoOutput) {
  EXPECT_EQ(decode(in + "/a.png", in + "/a.png").status, kNoAccess);
  EXPECT_TRUE(read_file(in + "/a.png") == png);
}

TEST_F(Folders, AMissingInputInAnAllowedFolderIsMissing) {
  const Result result = decode(in + "/none.png", out + "/none.ppm");
  EXPECT_EQ(result.status, kNoAccess);
  EXPECT_EQ(result.said_by("torno-png"),
            "torno-png: error: cannot open " + in + "/none.png: No such file or directory\n");
}

TEST_F(Folders, VariablesOfTheCommandLineReachThePolicy) {
  directory.write("set.policy", folders("${IN}", "${OUT}"));
  const Result result =
      run({program("torno-png"), "--policy", directory.path() + "/set.policy", "--set", "IN=" + in,
           "--set", "OUT=" + out, in + "/a.png", out + "/a.ppm"});
  EXPECT_EQ(result.status, kDone) << result.err;
}

TEST_F(Folders, TwoWorkersOfOneServiceHaveAPolicyEach) {
  const test::TornodProcess service({{"a", folders(in, out)}, {"b", folders(elsewhere, out)}});
  const auto decode_as = [&](const std::string& policy, const std::string& from) {
    return run({program("torno-png"), "--policy", policy, from, out + "/" + policy + ".ppm"},
               service.socket_path())
        .status;
  };
  EXPECT_EQ(decode_as("a", in + "/a.png"), kDone);
  EXPECT_EQ(decode_as("b", elsewhere + "/b.png"), kDone);
  EXPECT_EQ(decode_as("a", elsewhere + "/b.png"), kNoAccess);
  EXPECT_EQ(decode_as("b", in + "/a.png"), kNoAccess);
}

// ----------------------------------------------------------------------- what ends it early

TEST_F(Folders, WithoutItsPolicyItDecodesNothing) {
  const Result result = run({program("torno-png"), "--policy", directory.path() + "/missing.policy",
                             in + "/a.png", out + "/a.ppm"});
  EXPECT_EQ(result.status, kNotSealed);
  EXPECT_NE(result.err.find("missing.policy"), std::string::npos) << result.err;
  EXPECT_FALSE(exists(out + "/a.ppm"));
}

TEST_F(Folders, WithoutItsBrokerItDecodesNothing) {
  const Result result =
      run({program("torno-png"), in + "/a.png", out + "/a.ppm"}, directory.path() + "/nobody.sock");
  EXPECT_EQ(result.status, kNotSealed);
  EXPECT_FALSE(exists(out + "/a.ppm"));
}

TEST(Png, AWrongCommandLineSaysWhatIsRight) {
  const std::vector<std::vector<std::string>> wrong = {
      {}, {"in.png"}, {"a", "b", "c"}, {"--policy"}, {"--nothing", "a", "b"}};
  for (std::vector<std::string> arguments : wrong) {
    arguments.insert(arguments.begin(), program("torno-png"));
    const Result result = run(arguments);
    EXPECT_EQ(result.status, kBadUsage);
    EXPECT_TRUE(result.err.starts_with("usage: torno-png ")) << result.err;
  }
}

TEST(Png, HelpThatIsAskedForIsNoError) {
  const Result result = run({program("torno-png"), "--help"});
  EXPECT_EQ(result.status, kDone);
  EXPECT_TRUE(result.out.starts_with("usage: torno-png ")) << result.out;
  EXPECT_EQ(result.err, "");
}

}  // namespace
}  // namespace torno::examples
