#include "bench/service.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <torno/torno.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "bench/calls.h"
#include "bench/worker.h"

namespace torno::bench {
namespace {

constexpr int kStartTenths = 100;  // tenths of a second that tornod may take to answer

bool answers(const std::string& path) {
  const Fd probe(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  return connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

void exec_tornod(const std::string& directory, const std::string& socket) {
  const std::string program =
      std::filesystem::read_symlink("/proc/self/exe").parent_path() / "tornod";
  const int log = open((directory + "/log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  if (log < 0 || dup2(log, STDERR_FILENO) < 0) return std::perror((directory + "/log").c_str());
  execl(program.c_str(), "tornod", "--socket", socket.c_str(), "--policies",
        (directory + "/policies").c_str(), nullptr);
  std::perror(program.c_str());
}

}  // namespace

Service::Service(const std::string& directory, Placement placement)
    : socket_(directory + "/" + (placement == Placement::kPinned ? "pinned" : "free") + ".sock") {
  pid_ = spawn([&] {
    if (placement == Placement::kPinned) pin_to_one_cpu();
    exec_tornod(directory, socket_);
  });
  for (int i = 0; i < kStartTenths; ++i) {
    if (answers(socket_)) return;
    if (waitpid(pid_, nullptr, WNOHANG) == pid_) break;
    usleep(100'000);
  }
  std::fprintf(stderr, "torno_bench: tornod does not answer; %s/log says why\n", directory.c_str());
  std::exit(1);
}

Service::~Service() {
  stop(pid_);
}

void Service::enter() const {
  setenv("TORNO_BROKER", socket_.c_str(), 1);
  char error[TORNO_ERROR_SIZE];
  if (torno_enter("bench", TORNO_NO_EMBEDDED, error, sizeof error) == 0) return;
  std::fprintf(stderr, "torno_bench: %s\n", error);
  _exit(1);
}

}  // namespace torno::bench
