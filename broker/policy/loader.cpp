#include "broker/policy/loader.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include "broker/base/error.h"
#include "broker/policy/compile.h"
#include "broker/policy/draft.h"
#include "broker/policy/find.h"
#include "broker/policy/narrow.h"
#include "broker/policy/rule_reader.h"
#include "broker/policy/settings.h"
#include "broker/policy/source_file.h"
#include "broker/policy/unbuilt.h"

namespace torno::policy {
namespace {

// A policy that includes deeper than this is a mistake, and each level takes stack.
constexpr std::size_t kMaxIncludeDepth = 16;

constexpr std::string_view kSuffix = ".policy";

constexpr const char* kAdded = "<command line>";

// "png" of "/etc/torno/policies/png.policy".
std::string name_of(const std::string& file) {
  std::string name = file.substr(file.rfind('/') + 1);
  if (name.ends_with(kSuffix)) name.resize(name.size() - kSuffix.size());
  return name;
}

bool is_path(const std::string& word, const LoadOptions& options) {
  return options.allow_paths && (word.find('/') != std::string::npos || word.ends_with(kSuffix));
}

bool is_printable_name(const std::string& name) {
  return !name.empty() && name.size() <= 64 && std::ranges::all_of(name, [](char c) {
    return c > ' ' && c < 0x7f && c != '+' && c != '/' && c != '\\';
  });
}

class Loader {
 public:
  Loader(const LoadOptions& options, const Limit& narrower, Report& report)
      : options_(options), narrower_(narrower), report_(report), rules_(options, draft_, report) {
    draft_.readable = options.readable;
  }

  PolicyPtr load(const PolicyText& text, bool named_by_path) {
    if (named_by_path) protect(text.file);
    const Settings settings = add(text);
    settings.apply(draft_.merged);
    narrow(*draft_.merged.mutable_limit(), narrower_);
    return compile(std::move(draft_), text.file, report_);
  }

  Stamps take_stamps() { return std::move(stamps_); }

 private:
  void protect(const std::string& file) {
    std::error_code error;
    const std::string canonical = std::filesystem::canonical(file, error).string();
    if (error) {
      report_.error({file, 0, 0}, "cannot tell where it lies: " + error.message());
    } else {
      draft_.own_files.push_back(canonical);
    }
  }

  // Adds a file and those it includes.
  Settings add(const PolicyText& text) {
    report_.mention_file(text.file);
    if (text.identity) draft_.read_from.push_back(*text.identity);
    loaded_.push_back(text.file);
    stamps_.insert(stamps_.end(), text.stamps.begin(), text.stamps.end());
    open_.push_back(text.file);
    Settings settings;
    if (const auto source = parse_text(text.text, text.file, report_)) {
      const Located root = source->root();
      check_unbuilt(root, report_);
      settings.take(root, report_);
      if (open_.size() == 1) set_name(root);
      rules_.read(root, open_.size() > 1);
      add_included(root, settings);
    }
    if (open_.size() == 1 && !options_.added.empty()) {
      settings.add(add({kAdded, options_.added, {}, {}}), {kAdded, 0, 0}, report_);
    }
    open_.pop_back();
    return settings;
  }

  void set_name(const Located& root) {
    const auto& policy = static_cast<const PolicyFile&>(root.message());
    draft_.merged.set_name(root.names("name") ? policy.name() : name_of(open_.front()));
    if (root.names("name") && !is_printable_name(policy.name())) {
      report_.error(root.at("name"),
                    "a policy's name is 1 to 64 printable characters without ' ', '/', '+' and "
                    "'\\'; write another");
    }
  }

  void add_included(const Located& root, Settings& settings) {
    const auto& policy = static_cast<const PolicyFile&>(root.message());
    for (int i = 0; i < policy.include_size(); ++i) {
      include(policy.include(i), root.at("include", i), settings);
    }
    for (int i = 0; i < policy.profile_size(); ++i) {
      // One that is no profile has been reported when the file was parsed.
      if (!Profile_IsValid(policy.profile(i)) || policy.profile(i) == PROFILE_UNSPECIFIED) continue;
      include(Profile_Name(policy.profile(i)), root.at("profile", i), settings);
    }
  }

  void include(const std::string& name, const RuleSource& where, Settings& settings) {
    // A file's includes go by name, so that it means the same wherever it lies.
    const bool by_path = open_.back() == kAdded && is_path(name, options_);
    auto text = by_path ? read_policy(name) : find_policy(name, options_.directories);
    if (!text) {
      report_.error(where, std::move(text.error().message));
      return;
    }
    if (std::ranges::find(open_, text->file) != open_.end()) {
      report_.error(where,
                    "'" + escape(name) + "' includes itself in a circle; remove one include");
      return;
    }
    // Reached by two ways: its rules count once.
    if (std::ranges::find(loaded_, text->file) != loaded_.end()) return;
    if (open_.size() == kMaxIncludeDepth) {
      report_.error(where, "included more than 16 files deep; include it further up");
      return;
    }
    if (by_path) protect(text->file);
    settings.add(add(*text), where, report_);
  }

  const LoadOptions& options_;
  const Limit& narrower_;
  Report& report_;
  Draft draft_;
  RuleReader rules_;
  std::vector<std::string> loaded_;
  std::vector<std::string> open_;  // the file being read and those that led to it
  Stamps stamps_;
};

Loaded load_text(const PolicyText& text, const LoadOptions& options, const Limit& narrower,
                 bool named_by_path) {
  Report report;
  Loaded loaded;
  if (text.text.size() > kMaxPolicySize) {
    report.error({text.file, 0, 0}, "larger than 16 MiB; split it");
  } else {
    Loader loader(options, narrower, report);
    loaded.policy = loader.load(text, named_by_path);
    loaded.stamps = loader.take_stamps();
  }
  loaded.diagnostics = report.take();
  return loaded;
}

}  // namespace

std::string Diagnostic::text() const {
  std::string out;
  if (!where.file.empty()) {
    out = escape(where.file) + ":";
    if (where.line > 0) {
      out += std::to_string(where.line) + ":" + std::to_string(where.column) + ":";
    }
    out += " ";
  }
  return out + (severity == Severity::kError ? "error: " : "warning: ") + message;
}

Loaded load(const std::string& name_or_path, const LoadOptions& options) {
  return load_narrowed(name_or_path, options, {});
}

Loaded load_narrowed(const std::string& name_or_path, const LoadOptions& options,
                     const Limit& narrower) {
  const bool by_path = is_path(name_or_path, options);
  auto text = by_path ? read_policy(name_or_path) : find_policy(name_or_path, options.directories);
  if (!text) {
    Loaded loaded;
    loaded.unreadable = text.error().unreadable;
    loaded.diagnostics.push_back(
        {Diagnostic::Severity::kError, {}, std::move(text.error().message)});
    return loaded;
  }
  return load_text(*text, options, narrower, by_path);
}

Loaded load_text(const std::string& text, const std::string& file, const LoadOptions& options,
                 const std::optional<FileIdentity>& read_from) {
  return load_text(PolicyText{file, text, read_from, {}}, options, {}, false);
}

Loaded load_text_narrowed(const std::string& text, const std::string& file,
                          const LoadOptions& options, const Limit& narrower) {
  return load_text(PolicyText{file, text, {}, {}}, options, narrower, false);
}

}  // namespace torno::policy
