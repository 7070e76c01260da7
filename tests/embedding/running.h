// Running: what the tests of embedding start and read.
#pragma once

#include <string>

#include "broker/include/torno/sandbox.hpp"

namespace torno::embedding {

// A shell with this script: input from /dev/null, output to a pipe.
Sandbox::Options shell(const std::string& script);

// Started, or an end of the test's process that says why not.
Sandbox must_start(const Sandbox::Options& options);

// Up to its end.
std::string read_all(int fd);

// What it wrote to the pipe of its output, until its end.
std::string output_of(Sandbox& sandbox);

}  // namespace torno::embedding
