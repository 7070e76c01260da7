#include "broker/policy/wording.h"

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "broker/base/error.h"
#include "broker/policy/suggest.h"
#include "proto/policy.pb.h"

namespace torno::policy {
namespace {

using google::protobuf::EnumDescriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;

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

// "Expected a name, found ';'" of "Expected identifier, got: ;".
std::string named_token(const std::string& message) {
  static constexpr std::string_view kIdentifier = "Expected identifier";
  static constexpr std::string_view kGot = ", got: ";
  std::string text = escape(message);
  if (text.starts_with(kIdentifier)) text.replace(0, kIdentifier.size(), "Expected a name");
  if (const std::size_t got = text.find(kGot); got != std::string::npos) {
    const std::string token = text.substr(got + kGot.size());
    return text.substr(0, got) + ", found " +
           (token.empty() ? "the end of the file" : "'" + token + "'");
  }
  while (text.ends_with('.')) text.pop_back();
  return text;
}

}  // namespace

std::string quoted_part(const std::string& text, int n) {
  std::size_t at = 0;
  for (int i = 0; i < 2 * n; ++i) at = std::min(text.find('"', at), text.size() - 1) + 1;
  const std::size_t begin = text.find('"', at);
  if (begin == std::string::npos) return {};
  const std::size_t end = text.find('"', begin + 1);
  return end == std::string::npos ? std::string() : text.substr(begin + 1, end - begin - 1);
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

bool is_unknown_field(const std::string& message) {
  return message.find("has no field named") != std::string::npos;
}

bool is_unknown_value(const std::string& message) {
  return message.starts_with("Unknown enumeration value");
}

bool is_repetition(const std::string& message) {
  return message.starts_with("Non-repeated field");
}

std::string reworded(const std::string& message) {
  if (is_unknown_field(message)) return unknown_field(message);
  if (is_unknown_value(message)) return unknown_value(message);
  if (is_repetition(message)) {
    return "the field '" + quoted_part(message, 0) + "' stands twice; remove one";
  }
  return "syntax error: " + named_token(message) + "; see docs/policy.md for the fields";
}

}  // namespace torno::policy
