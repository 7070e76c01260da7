#include "broker/policy/source_file.h"

#include <google/protobuf/io/tokenizer.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

#include "broker/policy/suggest.h"
#include "broker/policy/wording.h"

namespace torno::policy {
namespace {

using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using google::protobuf::TextFormat;

// Counts lines and columns of a text as protobuf's tokenizer does.
struct Position {
  int line = 0;
  int column = 0;
  std::size_t offset = 0;

  void pass(char c) {
    constexpr int kTabWidth = 8;
    ++offset;
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

// Where messages nest deeper than in any policy: libprotobuf passes over unknown ones by calling
// itself, as deep as a stack can be, and ends the process there.
std::optional<Position> too_deep(const std::string& text) {
  constexpr int kDeepest = 16;
  Position at;
  int depth = 0;
  char quote = '\0';
  bool in_comment = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_comment) {
      in_comment = c != '\n';
    } else if (quote != '\0') {
      if (c == '\\' && i + 1 < text.size()) at.pass(text[i++]);
      // A string ends with its line, as libprotobuf has it.
      else if (c == quote || c == '\n')
        quote = '\0';
    } else if (c == '#') {
      in_comment = true;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '{' || c == '<' || c == '[') {
      if (++depth > kDeepest) return at;
    } else if (c == '}' || c == '>' || c == ']') {
      --depth;
    }
    at.pass(text[i]);
  }
  return std::nullopt;
}

class Collector : public google::protobuf::io::ErrorCollector {
 public:
  Collector(const std::string& text, const std::string& file, Report& report)
      : text_(text), file_(file), report_(report) {}

  // At an unknown value the parser stops, and can be run again. What else stops it is told once:
  // the rest follows from that, and it may follow from an unknown name on the same line.
  void AddError(int line, int column, const std::string& message) override {
    if (!is_unknown_value(message) && (line == last_line_ || std::exchange(lost_, true))) return;
    add(line, column, message);
  }
  // What it was told to go on after, so that one pass finds all of them. Never passed over.
  void AddWarning(int line, int column, const std::string& message) override {
    add(line, column, message);
  }

  bool has_errors() const { return !places_.empty(); }

  // More than anybody mends at once; each costs a look at the text before it, and a text may be
  // anybody's.
  bool is_full() const { return places_.size() >= kMostErrors; }

  // The parser stops at an unknown value. Blots out the one that it stopped at, if it did, so that
  // it goes further when it is run again.
  bool blot_out(std::string& text) {
    const std::string value = std::exchange(unknown_value_, {});
    if (value.empty() || text.compare(unknown_at_, value.size(), value) != 0) return false;
    text.replace(unknown_at_, value.size(), std::string(value.size() - 1, ' ').insert(0, "0"));
    return true;
  }

 private:
  void add(int line, int column, const std::string& message) {
    last_line_ = line;
    if (is_full() || !told_.emplace(line, column).second) return;
    Position place{line, column};
    if (is_unknown_field(message)) {
      place = position_before(text_, quoted_part(message, 1), place);
    } else if (is_unknown_value(message) || is_repetition(message)) {
      place = position_before(text_, quoted_part(message, 0), place);
    }
    if (is_unknown_value(message)) {
      unknown_value_ = quoted_part(message, 0);
      unknown_at_ = place.offset;
    }
    if (!places_.emplace(place.line, place.column).second) return;
    report_.error({file_, place.line + 1, place.column + 1}, reworded(message));
  }

  static constexpr std::size_t kMostErrors = 50;

  const std::string& text_;
  const std::string& file_;
  Report& report_;
  int last_line_ = -1;                    // of an error
  std::set<std::pair<int, int>> told_;    // as libprotobuf has the places
  std::set<std::pair<int, int>> places_;  // of errors
  bool lost_ = false;
  std::string unknown_value_;  // at which the parser stopped
  std::size_t unknown_at_ = 0;
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
  if (const auto deep = too_deep(text)) {
    report.error({file, deep->line + 1, deep->column + 1},
                 "messages nest deeper here than any field of a policy; close the braces before");
    return nullptr;
  }
  // Enough to mend at once; each costs a pass over the text.
  constexpr int kMaxUnknownValues = 20;
  auto source = std::make_unique<SourceFile>();
  source->file = file;
  Collector collector(text, source->file, report);
  TextFormat::Parser parser;
  parser.RecordErrorsTo(&collector);
  parser.WriteLocationsTo(&source->tree);
  // Reported as warnings, of which the collector makes errors.
  parser.AllowUnknownField(true);
  bool parsed = parser.ParseFromString(text, &source->message);
  std::string blotted;
  for (int i = 0; !parsed && i < kMaxUnknownValues && !collector.is_full(); ++i) {
    if (i == 0) blotted = text;
    if (!collector.blot_out(blotted)) break;
    PolicyFile rest;
    TextFormat::ParseInfoTree places;
    parser.WriteLocationsTo(&places);
    parsed = parser.ParseFromString(blotted, &rest);
  }
  if (!parsed && !collector.has_errors()) {
    report.error({file, 0, 0}, "cannot be parsed; check its syntax");
  }
  if (!parsed || collector.has_errors()) return nullptr;
  return check_enums(source->root(), report) ? std::move(source) : nullptr;
}

}  // namespace torno::policy
