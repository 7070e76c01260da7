// torno-plugin-host: a plugin that attacks gets nothing done; unsealed, the same one does.
#include <arpa/inet.h>
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "broker/base/fd.h"
#include "examples/plugin/plugin.h"
#include "tests/examples/files.h"
#include "tests/examples/process.h"
#include "tests/support/temporary_directory.h"

namespace torno::examples {
namespace {

using test::TemporaryDirectory;

// A loopback port with a listener behind it: connecting to it works for whoever may.
class Listener {
 public:
  Listener() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(socket_.get(), generic, size), 0);
    EXPECT_EQ(listen(socket_.get(), 8), 0);
    EXPECT_EQ(getsockname(socket_.get(), generic, &size), 0);
    port_ = std::to_string(ntohs(address.sin_port));
  }
  const std::string& port() const { return port_; }

 private:
  Fd socket_;
  std::string port_;
};

bool has_line(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

// The plugin in a process without Torno.
Result run_unsealed(const std::string& plugin, std::vector<std::string> arguments) {
  const TemporaryDirectory directory;
  const std::string out = directory.path() + "/out";
  const pid_t pid = fork();
  if (pid == 0) {
    if (std::freopen(out.c_str(), "w", stdout) == nullptr) _exit(126);
    void* library = dlopen(plugin.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) _exit(125);
    const auto run_plugin = reinterpret_cast<plugin_run_function>(dlsym(library, "plugin_run"));
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    _exit(run_plugin(static_cast<int>(argv.size()), argv.data()));
  }
  int status = 0;
  EXPECT_EQ(waitpid(pid, &status, 0), pid);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), read_file(out), ""};
}

TEST(Plugin, OneThatBehavesDoesItsWork) {
  const Result result =
      run({program("torno-plugin-host"), module("plugin_good"), "123456789", "torno"});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_TRUE(has_line(result.out, "plugin: cbf43926 123456789")) << result.out;
  EXPECT_TRUE(has_line(result.out, "torno-plugin-host: the plugin returned 2; the host goes on"))
      << result.out;
  EXPECT_EQ(result.err, "");
}

TEST(Plugin, UnsealedTheEvilOneSucceeds) {
  const TemporaryDirectory directory;
  const Listener listener;
  directory.write("precious", "x");
  const Result result =
      run_unsealed(module("plugin_evil"), {directory.path() + "/precious", listener.port()});
  EXPECT_FALSE(exists(directory.path() + "/precious"));
  EXPECT_TRUE(has_line(result.out, "plugin: delete the file: done")) << result.out;
  EXPECT_TRUE(has_line(result.out, "plugin: connect out: done")) << result.out;
  EXPECT_TRUE(has_line(result.out, "plugin: this is a shell")) << result.out;
  EXPECT_EQ(result.status, 66) << "the shell's exit status";
  // The kernel itself keeps an ordinary user from this file, so only root can show the attack.
  if (access("/etc/shadow", R_OK) == 0) {
    EXPECT_TRUE(has_line(result.out, "plugin: constructor: read /etc/shadow: done")) << result.out;
    EXPECT_TRUE(has_line(result.out, "plugin: read /etc/shadow: done")) << result.out;
  }
}

TEST(Plugin, TheEvilOneIsRefusedAndNamedAndTheHostGoesOn) {
  const TemporaryDirectory directory;
  const Listener listener;
  directory.write("precious", "x");
  const Result result = run({program("torno-plugin-host"), module("plugin_evil"),
                             directory.path() + "/precious", listener.port()});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_TRUE(exists(directory.path() + "/precious"));
  for (const char* attempt : {"constructor: read /etc/shadow", "delete the file",
                              "read /etc/shadow", "connect out", "run a shell"}) {
    EXPECT_EQ(result.out.find(std::string("plugin: ") + attempt + ": done"), std::string::npos)
        << result.out;
  }
  EXPECT_TRUE(has_line(result.out, "torno-plugin-host: the plugin returned 0; the host goes on"))
      << result.out;
  // The constructor's attempt, then those of plugin_run in their order.
  EXPECT_EQ(result.said_by("torno-plugin-host"),
            "torno-plugin-host: refused openat: EACCES\n"
            "torno-plugin-host: refused unlink: EACCES\n"
            "torno-plugin-host: refused openat: EACCES\n"
            "torno-plugin-host: refused socket: EPERM\n"
            "torno-plugin-host: refused execve: EACCES\n");
}

TEST(Plugin, WhatIsNoPluginIsOneLine) {
  const TemporaryDirectory directory;
  directory.write("text.so", "this is text");
  for (const std::string& path :
       {directory.path() + "/text.so", directory.path() + "/missing.so"}) {
    const Result result = run({program("torno-plugin-host"), path});
    EXPECT_EQ(result.status, 1);
    EXPECT_TRUE(result.err.starts_with("torno-plugin-host: error: ")) << result.err;
  }
}

TEST(Plugin, AWrongCommandLineSaysWhatIsRight) {
  const Result result = run({program("torno-plugin-host")});
  EXPECT_EQ(result.status, 2);
  EXPECT_TRUE(result.err.starts_with("usage: torno-plugin-host ")) << result.err;
}

TEST(Plugin, HelpThatIsAskedForIsNoError) {
  const Result result = run({program("torno-plugin-host"), "--help"});
  EXPECT_EQ(result.status, 0);
  EXPECT_TRUE(result.out.starts_with("usage: torno-plugin-host ")) << result.out;
  EXPECT_EQ(result.err, "");
}

}  // namespace
}  // namespace torno::examples
