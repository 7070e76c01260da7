// Wording: what libprotobuf says of a text that is no policy, made to say what to do.
#pragma once

#include <google/protobuf/descriptor.h>

#include <string>
#include <vector>

namespace torno::policy {

// Which sentence of libprotobuf's it is.
bool is_unknown_field(const std::string& message);
bool is_unknown_value(const std::string& message);
bool is_repetition(const std::string& message);

// The text between the `n`th pair of double quotes.
std::string quoted_part(const std::string& text, int n);

std::string reworded(const std::string& message);

// A value that stands for none, and the names of all others.
bool is_placeholder(const google::protobuf::EnumValueDescriptor* value);
std::vector<std::string> value_names(const google::protobuf::EnumDescriptor* type);

}  // namespace torno::policy
