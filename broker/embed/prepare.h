// Prepare: what an embedding program asks for, made into what the launcher takes.
#pragma once

#include <expected>

#include "broker/base/fd.h"
#include "broker/include/torno/sandbox.hpp"
#include "broker/launch/sandbox.h"

namespace torno::embed {

struct Prepared {
  launch::Options options;
  launch::Streams ends;  // the caller's, of the pipes
  Fd log;                // of refused calls, which are counted alone
};

std::expected<Prepared, Sandbox::Failure> prepare(const Sandbox::Options& wanted);

}  // namespace torno::embed
