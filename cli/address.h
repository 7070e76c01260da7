// Address: where a connect leads, as people write it.
#pragma once

#include <string>

#include "broker/base/error.h"
#include "broker/policy/endpoint.h"

namespace torno::cli {

struct Address {
  policy::Endpoint endpoint;  // its name is empty: it stands in `name`
  std::string name;           // of unix:PATH as given, of abstract:NAME
};

// "127.0.0.1:80", "[::1]:80", "unix:/run/x.sock", "abstract:NAME".
Result<Address> parse_address(const std::string& text);

}  // namespace torno::cli
