#include "tests/broker/policy/policy_fixture.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace torno::policy {

std::vector<std::string> texts(const Loaded& loaded) {
  std::vector<std::string> out;
  for (const Diagnostic& diagnostic : loaded.diagnostics) out.push_back(diagnostic.text());
  return out;
}

PolicyPtr must_load(const std::string& text, const LoadOptions& options) {
  Loaded loaded = load_text(text, "t.policy", options);
  for (const std::string& complaint : texts(loaded)) ADD_FAILURE() << complaint;
  if (loaded.policy == nullptr) std::abort();
  return loaded.policy;
}

std::vector<std::string> complaints(const std::string& text, const LoadOptions& options) {
  const Loaded loaded = load_text(text, "t.policy", options);
  bool error = false;
  for (const Diagnostic& diagnostic : loaded.diagnostics) {
    error = error || diagnostic.severity == Diagnostic::Severity::kError;
    EXPECT_EQ(diagnostic.message.find('\n'), std::string::npos) << diagnostic.message;
  }
  EXPECT_EQ(loaded.policy == nullptr, error);
  return texts(loaded);
}

TemporaryDirectory::TemporaryDirectory() {
  std::string name = std::filesystem::canonical(::testing::TempDir()).string() + "/torno.XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) std::abort();
  path_ = name;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void TemporaryDirectory::write(const std::string& name, std::string_view text) const {
  std::ofstream(path_ + "/" + name) << text;
}

void TemporaryDirectory::make_directory(const std::string& name) const {
  std::filesystem::create_directories(path_ + "/" + name);
}

void TemporaryDirectory::link(const std::string& name, const std::string& target) const {
  std::filesystem::create_symlink(target, path_ + "/" + name);
}

}  // namespace torno::policy
