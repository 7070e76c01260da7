// Decoding a PNG with libpng: the part an attacker's file reaches, and so the reason for the seal.
#pragma once

#include <cstdio>
#include <expected>
#include <string>

#include "examples/png/image.h"

namespace torno::examples {

// The picture in `file`, as pngtopnm sees it: alpha and gamma are left out, and an sBIT chunk
// that says how many bits matter decides the maxval. The error is one sentence.
std::expected<Image, std::string> decode_png(std::FILE* file);

}  // namespace torno::examples
