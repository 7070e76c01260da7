// The documents: links that lead somewhere, plain punctuation, examples that work.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "tests/cli/run_torno.h"

namespace torno::cli {
namespace {

namespace fs = std::filesystem;

std::string contents(const fs::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

std::vector<fs::path> documents() {
  std::vector<fs::path> found;
  for (fs::recursive_directory_iterator entry(TORNO_SOURCE_DIR), end; entry != end; ++entry) {
    const std::string name = entry->path().filename().string();
    const bool ours = name != "build" && !name.starts_with('.');
    if (entry->is_directory() && !ours) entry.disable_recursion_pending();
    if (entry->is_regular_file() && entry->path().extension() == ".md") {
      found.push_back(entry->path());
    }
  }
  return found;
}

TEST(Documents, AreThere) {
  for (const char* name : {"README.md", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md",
                           "docs/one-open.md", "docs/embedding.md", "docs/policy.md", "docs/run.md",
                           "docs/syscalls.md", "docs/performance.md"}) {
    EXPECT_TRUE(fs::is_regular_file(fs::path(TORNO_SOURCE_DIR) / name)) << name;
  }
}

TEST(Documents, EveryRelativeLinkLeadsToAFile) {
  const std::regex link(R"(\]\(([^)#\s]+)(#[^)]*)?\))");
  int links = 0;
  for (const fs::path& document : documents()) {
    const std::string text = contents(document);
    for (std::sregex_iterator match(text.begin(), text.end(), link), end; match != end; ++match) {
      const std::string target = (*match)[1];
      if (target.find("://") != std::string::npos) continue;
      ++links;
      EXPECT_TRUE(fs::exists(document.parent_path() / target))
          << document.string() << " links to " << target;
    }
  }
  EXPECT_GT(links, 5);
}

TEST(Documents, HoldNoEmDash) {
  for (const fs::path& document : documents()) {
    std::ifstream file(document);
    int number = 0;
    for (std::string line; std::getline(file, line);) {
      ++number;
      EXPECT_EQ(line.find("\xe2\x80\x94"), std::string::npos) << document.string() << ":" << number;
    }
  }
}

// The first policy of README.md is one, and answers what README.md says.
TEST(Documents, TheFirstPolicyOfTheReadmeWorks) {
  const std::string text = contents(fs::path(TORNO_SOURCE_DIR) / "README.md");
  const std::size_t at = text.find("include: \"base\"");
  ASSERT_NE(at, std::string::npos);
  const TemporaryDirectory directory;
  const std::string policy =
      directory.write("image.policy", text.substr(at, text.find("```", at) - at));

  const Said check = run_torno({"check", policy});
  EXPECT_EQ(check.status, 0) << check.err;
  EXPECT_EQ(check.err, "");
  const auto ask = [&policy](const char* path) {
    return run_torno({"why", "--policy", policy, "READ", path}).status;
  };
  EXPECT_EQ(ask("/usr/share/pixmaps/debian-logo.png"), 0);
  EXPECT_EQ(ask("/usr/share/pixmaps/private/x"), 1);
  EXPECT_EQ(ask("/etc/shadow"), 1);
}

}  // namespace
}  // namespace torno::cli
