#include "bench/names.h"

namespace torno::bench {

const char* name(Variant variant) {
  switch (variant) {
    case Variant::kNative:
      return "native";
    case Variant::kTrapAlone:
      return "trap alone";
    case Variant::kPersistent:
      return "persistent loop";
    case Variant::kFresh:
      return "fresh-pair loop";
    case Variant::kTorno:
      return "Torno";
  }
  return "";
}

const char* name(Placement placement) {
  return placement == Placement::kPinned ? "same CPU" : "unpinned";
}

std::string benchmark_name(Call call, Variant variant, Placement placement) {
  return std::string(name(call)) + "/" + name(variant) + "/" + name(placement);
}

std::string enter_name(Placement placement) {
  return std::string("torno_enter/") + name(placement);
}

}  // namespace torno::bench
