#include "broker/policy/source_file.h"

#include <google/protobuf/io/tokenizer.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "broker/base/error.h"
#include "broker/policy/suggest.h"

namespace torno::policy {
namespace {

using google::protobuf::EnumDescriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using google::protobuf::TextFormat;

// The text between the `n`th pair of double quotes.
std::string quoted_part(const std::string& text, int n) {
  std::size_t at = 0;
  for (int i = 0; i < 2 * n; ++i) at = std::min(text.find('"', at), text.size() - 1) + 1;
  const std::size_t begin = text.find('"', at);
  if (begin == std::string::npos) return {};
  const std::size_t end = text.find('"', begin + 1);
  return end == std::string::npos ? std::string() : text.substr(begin + 1, end - begin - 1);
}

// What a policy calls a message type: the field of that type ("file" of FileRule).
std::string field_of_type(const google::protobuf::Descriptor* in, const std::string& type) {
  for (int i = 0; i < in->field_count(); ++i) {
    const FieldDescriptor* field = in->field(i);
    if (field->message_type() == nullptr) continue;
    if (field->message_type()->full_name() == type) return field->name();
    std::string deeper = field_of_type(field->message_type(), type);
    if (!deeper.empty()) return deeper;
  }
  return {};
}

bool is_placeholder(const EnumValueDescriptor* value) {
  return value->number() == 0 && value->name().ends_with("UNSPECIFIED");
}

std::vector<std::string> value_names(const EnumDescriptor* type) {
  std::vector<std::string> names;
  for (int i = 0; i < type->value_count(); ++i) {
    if (!is_placeholder(type->value(i))) names.push_back(type->value(i)->name());
  }
  return names;
}

std::string unknown_field(const std::string& message) {
  const std::string type = quoted_part(message, 0);
  const std::string field = quoted_part(message, 1);
  const auto* descriptor = PolicyFile::descriptor()->file()->pool()->FindMessageTypeByName(type);
  std::vector<std::string> names;
  if (descriptor != nullptr) {
    for (int i = 0; i < descriptor->field_count(); ++i) {
      names.push_back(descriptor->field(i)->name());
    }
  }
  const std::string in = field_of_type(PolicyFile::descriptor(), type);
  return "unknown field '" + escape(field) + "'" + (in.empty() ? "" : " in '" + in + "'") +
         advise(field, names);
}

const EnumDescriptor* enum_of_field(const google::protobuf::Descriptor* in,
                                    const std::string& field_name, const std::string& value) {
  const EnumDescriptor* found = nullptr;
  for (int i = 0; i < in->field_count(); ++i) {
    const FieldDescriptor* field = in->field(i);
    if (field->enum_type() != nullptr && field->name() == field_name) found = field->enum_type();
    if (field->message_type() != nullptr && found == nullptr) {
      found = enum_of_field(field->message_type(), field_name, value);
    }
  }
  return found;
}

std::string unknown_value(const std::string& message) {
  const std::string value = quoted_part(message, 0);
  const std::string field = quoted_part(message, 1);
  const EnumDescriptor* type = enum_of_field(PolicyFile::descriptor(), field, value);
  return "'" + escape(value) + "' is no value of '" + escape(field) + "'" +
         advise(value, type != nullptr ? value_names(type) : std::vector<std::string>());
}

bool is_unknown_field(const std::string& message) {
  return message.find("has no field named") != std::string::npos;
}

bool is_unknown_value(const std::string& message) {
  return message.starts_with("Unknown enumeration value");
}

bool is_repetition(const std::string& message) {
  return message.starts_with("Non-repeated field");
}

// libprotobuf's sentences, made to say what to do.
std::string reworded(const std::string& message) {
  if (is_unknown_field(message)) return unknown_field(message);
  if (is_unknown_value(message)) return unknown_value(message);
  std::string text = escape(message);
  while (text.ends_with('.')) text.pop_back();
  if (text.starts_with("Non-repeated field")) {
    return "the field '" + quoted_part(message, 0) + "' stands twice; remove one";
  }
  return "syntax error: " + text + "; see docs/policy.md for the form of a policy";
}

// Counts lines and columns of a text as protobuf's tokenizer does.
struct Position {
  int line = 0;
  int column = 0;

  void pass(char c) {
    constexpr int kTabWidth = 8;
    if (c == '\n') {
      ++line;
      column = 0;
    } else {
      column += c == '\t' ? kTabWidth - column % kTabWidth : 1;
    }
  }
};

// Where `word` stands for the last time before a place: libprotobuf names the token behind it.
Position position_before(const std::string& text, const std::string& word, Position place) {
  Position at;
  Position found = place;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (at.line > place.line || (at.line == place.line && at.column >= place.column)) break;
    if (!word.empty() && text.compare(i, word.size(), word) == 0) found = at;
    at.pass(text[i]);
  }
  return found;
}

class Collector : public google::protobuf::io::ErrorCollector {
 public:
  Collector(const std::string& text, const std::string& file, Report& report)
      : text_(text), file_(file), report_(report) {}

  void AddError(int line, int column, const std::string& message) override {
    if (std::exchange(failed_, true)) return;  // the rest follows from the first
    Position place{line, column};
    if (is_unknown_field(message)) {
      place = position_before(text_, quoted_part(message, 1), place);
    } else if (is_unknown_value(message) || is_repetition(message)) {
      place = position_before(text_, quoted_part(message, 0), place);
    }
    report_.error({file_, place.line + 1, place.column + 1}, reworded(message));
  }
  void AddWarning(int line, int column, const std::string& message) override {
    report_.warning({file_, line + 1, column + 1}, reworded(message));
  }

 private:
  const std::string& text_;
  const std::string& file_;
  Report& report_;
  bool failed_ = false;
};

// Numbers stand for names in protobuf's text format, the unknown ones too; a policy takes names.
bool check_enum(const Located& in, const FieldDescriptor* field, int index, int number,
                Report& report) {
  const EnumValueDescriptor* value = field->enum_type()->FindValueByNumber(number);
  if (value != nullptr && !is_placeholder(value)) return true;
  const std::string name = value != nullptr ? value->name() : std::to_string(number);
  report.error(in.at(field->name(), index), "'" + name + "' is no value of '" + field->name() +
                                                "'" +
                                                advise(name, value_names(field->enum_type())));
  return false;
}

bool check_enums(const Located& in, Report& report) {
  const Message& message = in.message();
  const Reflection* reflection = message.GetReflection();
  bool good = true;
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor* field = message.GetDescriptor()->field(i);
    const int count = field->is_repeated() ? reflection->FieldSize(message, field)
                                           : static_cast<int>(in.names(field->name()));
    for (int index = 0; index < count; ++index) {
      if (field->message_type() != nullptr) {
        good = check_enums(in.nested(field->name(), index), report) && good;
      } else if (field->enum_type() != nullptr) {
        const int number = field->is_repeated()
                               ? reflection->GetRepeatedEnumValue(message, field, index)
                               : reflection->GetEnumValue(message, field);
        good = check_enum(in, field, index, number, report) && good;
      }
    }
  }
  return good;
}

}  // namespace

void Report::error(RuleSource where, std::string message) {
  diagnostics_.push_back({Diagnostic::Severity::kError, std::move(where), std::move(message)});
  errors_ = true;
}

void Report::warning(RuleSource where, std::string message) {
  if (++warnings_ > kMaxWarnings) return;
  diagnostics_.push_back({Diagnostic::Severity::kWarning, std::move(where), std::move(message)});
}

std::vector<Diagnostic> Report::take() {
  std::ranges::sort(diagnostics_, {}, [this](const Diagnostic& diagnostic) {
    const auto file = std::ranges::find(files_, diagnostic.where.file);
    return std::tuple(file - files_.begin(), diagnostic.where.line, diagnostic.where.column,
                      diagnostic.severity, std::string_view(diagnostic.message));
  });
  if (warnings_ > kMaxWarnings) {
    diagnostics_.push_back(
        {Diagnostic::Severity::kWarning,
         {},
         std::to_string(warnings_ - kMaxWarnings) + " more warnings; see to these first"});
  }
  return std::exchange(diagnostics_, {});
}

const FieldDescriptor* Located::descriptor(const std::string& field) const {
  return message_->GetDescriptor()->FindFieldByName(field);
}

RuleSource Located::at(const std::string& field, int index) const {
  const FieldDescriptor* found = descriptor(field);
  if (tree_ == nullptr || found == nullptr) return start_;
  // A list in brackets has one place for all its values.
  auto location = tree_->GetLocation(found, found->is_repeated() ? index : -1);
  if (location.line < 0 && found->is_repeated()) location = tree_->GetLocation(found, 0);
  if (location.line < 0) return start_;
  return {*file_, location.line + 1, location.column + 1};
}

bool Located::names(const std::string& field) const {
  const FieldDescriptor* found = descriptor(field);
  return tree_ != nullptr && found != nullptr &&
         tree_->GetLocation(found, found->is_repeated() ? 0 : -1).line >= 0;
}

Located Located::nested(const std::string& field, int index) const {
  const FieldDescriptor* found = descriptor(field);
  const auto* reflection = message_->GetReflection();
  const Message& inner = found->is_repeated()
                             ? reflection->GetRepeatedMessage(*message_, found, index)
                             : reflection->GetMessage(*message_, found);
  const auto* tree = tree_ == nullptr
                         ? nullptr
                         : tree_->GetTreeForNested(found, found->is_repeated() ? index : -1);
  return {*file_, inner, tree, at(field, index)};
}

std::unique_ptr<SourceFile> parse_text(const std::string& text, const std::string& file,
                                       Report& report) {
  auto source = std::make_unique<SourceFile>();
  source->file = file;
  Collector collector(text, source->file, report);
  TextFormat::Parser parser;
  parser.RecordErrorsTo(&collector);
  parser.WriteLocationsTo(&source->tree);
  if (!parser.ParseFromString(text, &source->message)) {
    if (!report.has_errors()) report.error({file, 0, 0}, "cannot be parsed; check its syntax");
    return nullptr;
  }
  return check_enums(source->root(), report) ? std::move(source) : nullptr;
}

}  // namespace torno::policy
