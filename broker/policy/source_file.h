// SourceFile: one policy file's text, parsed, with the place of everything in it.
#pragma once

#include <google/protobuf/text_format.h>

#include <memory>
#include <string>
#include <vector>

#include "broker/policy/loader.h"

namespace torno::policy {

// Collects what is wrong with a policy.
class Report {
 public:
  void error(RuleSource where, std::string message);
  void warning(RuleSource where, std::string message);
  bool has_errors() const { return errors_; }
  // In the order of the files' first mention by mention_file, then of lines.
  std::vector<Diagnostic> take();
  void mention_file(const std::string& file) { files_.push_back(file); }

 private:
  // More than anybody reads; a generated policy may have one for each of its rules.
  static constexpr std::size_t kMaxWarnings = 100;

  std::vector<Diagnostic> diagnostics_;
  std::size_t warnings_ = 0;
  std::vector<std::string> files_;
  bool errors_ = false;
};

// A message within a file, and where its fields stand. Cheap to copy; lives no longer than the
// SourceFile.
class Located {
 public:
  Located(const std::string& file, const google::protobuf::Message& message,
          const google::protobuf::TextFormat::ParseInfoTree* tree, RuleSource start)
      : file_(&file), message_(&message), tree_(tree), start_(std::move(start)) {}

  const google::protobuf::Message& message() const { return *message_; }

  // Where the message itself begins.
  const RuleSource& start() const { return start_; }

  // Where a field (its `index`th value) stands; the message's own start if the field is absent.
  RuleSource at(const std::string& field, int index = 0) const;

  // Whether the text names the field, be it with its default value.
  bool names(const std::string& field) const;

  // The `index`th message of a field that holds messages.
  Located nested(const std::string& field, int index = 0) const;

 private:
  const google::protobuf::FieldDescriptor* descriptor(const std::string& field) const;

  const std::string* file_;
  const google::protobuf::Message* message_;
  const google::protobuf::TextFormat::ParseInfoTree* tree_;
  RuleSource start_;
};

struct SourceFile {
  std::string file;  // as messages name it
  PolicyFile message;
  google::protobuf::TextFormat::ParseInfoTree tree;

  Located root() const { return {file, message, &tree, {file, 1, 1}}; }
};

// Null when the text is no policy; `report` says why.
std::unique_ptr<SourceFile> parse_text(const std::string& text, const std::string& file,
                                       Report& report);

}  // namespace torno::policy
