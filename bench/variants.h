// Workers for every variant of a call: the floors, and Torno.
#pragma once

#include <memory>
#include <string>

#include "bench/names.h"
#include "bench/service.h"
#include "bench/worker.h"

namespace torno::bench {

// A worker whose calls on `path` go the way of `variant`.
std::unique_ptr<Worker> make_worker(Variant variant, Placement placement, const Service& service,
                                    const std::string& path);

}  // namespace torno::bench
