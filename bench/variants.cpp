#include "bench/variants.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "bench/floor.h"

namespace torno::bench {
namespace {

// Runs in the worker: its own hand-written broker is a child of it, on the same CPUs.
void set_up_floor(Channel channel) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
    std::perror("torno_bench: socketpair");
    _exit(1);
  }
  spawn([&] {
    close(pair[0]);
    serve_floor(pair[1], channel);
  });
  close(pair[1]);
  trap_into_floor(pair[0], channel);
}

void set_up(Variant variant, const Service& service) {
  switch (variant) {
    case Variant::kNative:
      return;
    case Variant::kTrapAlone:
      return trap_alone();
    case Variant::kPersistent:
      return set_up_floor(Channel::kPersistent);
    case Variant::kFresh:
      return set_up_floor(Channel::kFresh);
    case Variant::kTorno:
      return service.enter();
  }
}

}  // namespace

std::unique_ptr<Worker> make_worker(Variant variant, Placement placement, const Service& service,
                                    const std::string& path) {
  return std::make_unique<Worker>(path, [&] {
    if (placement == Placement::kPinned) pin_to_one_cpu();
    set_up(variant, service);
  });
}

}  // namespace torno::bench
