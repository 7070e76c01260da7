// libFuzzer's way in. What seals the process stands in libfuzzer_seal.cpp.
#include <cstddef>
#include <cstdint>

#include "examples/fuzz/decode.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  torno::examples::decode({data, size});
  return 0;
}
