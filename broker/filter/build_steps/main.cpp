// Part of the build, not of the product: writes ready_steps() (broker/filter/step.h), the steps
// that policies without syscall rules need, compiled by libseccomp.
//
//   build_steps OUTPUT.cpp
#include <array>
#include <cstdio>
#include <fstream>
#include <map>
#include <ostream>
#include <string>

#include "broker/filter/compiler.h"
#include "broker/filter/step.h"
#include "broker/policy/loader.h"

namespace torno::filter {
namespace {

// What was asked for, by identity.
std::map<std::string, Instructions> made;

}  // namespace

// Stands for the product's, which looks into the table that is made here.
Result<Instructions> make_step(std::span<const Rule> rules, std::uint32_t otherwise) {
  const auto [step, is_new] = made.try_emplace(identity_of(rules, otherwise));
  if (is_new) {
    auto compiled = compile_step(rules, otherwise);
    if (!compiled) return compiled;
    step->second = std::move(*compiled);
  }
  return step->second;
}

namespace {

// Landlock's ABIs from none to what no kernel has yet: steps depend on it.
constexpr int kAbis = 10;

// What of a policy the steps depend on, beside its syscall rules, and the ways to choose it.
constexpr std::array kFiles = {"", "file { path: \"/bin/**\" allow: EXECUTE }\n"};
constexpr std::array kMappings = {"", "executable_mappings: MAPPINGS_DENY\n"};
constexpr std::array kProcesses = {"", "limit { processes: 1 }\n"};
constexpr std::array kSockets = {
    "", "connect { address: \"127.0.0.1\" }\n", "connect { unix: \"/run/x\" }\n",
    "connect { address: \"127.0.0.1\" }\nconnect { unix: \"/run/x\" }\n"};

bool compile_all(const std::string& text) {
  const policy::Loaded loaded = policy::load_text(text, "build_steps", {});
  if (loaded.policy == nullptr) {
    for (const auto& diagnostic : loaded.diagnostics) {
      std::fprintf(stderr, "%s\n", diagnostic.text().c_str());
    }
    return false;
  }
  for (int abi = 0; abi < kAbis; ++abi) {
    for (const Transport transport :
         {Transport::kTrap, Transport::kNotify, Transport::kTrapOnNotify}) {
      const auto program = compile_for(*loaded.policy, abi, transport);
      if (program) continue;
      std::fprintf(stderr, "%s\n", program.error().message.c_str());
      return false;
    }
  }
  return true;
}

bool compile_all() {
  for (const std::string files : kFiles) {
    for (const std::string mappings : kMappings) {
      for (const std::string processes : kProcesses) {
        for (const std::string sockets : kSockets) {
          if (!compile_all(files + mappings + processes + sockets)) return false;
        }
      }
    }
  }
  return true;
}

void write_bytes(std::ostream& out, const std::string& bytes) {
  constexpr std::size_t kPerLine = 24;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i % kPerLine == 0) out << "\n    \"";
    char text[8];
    std::snprintf(text, sizeof text, "\\%03o", static_cast<unsigned char>(bytes[i]));
    out << text;
    if ((i + 1) % kPerLine == 0 || i + 1 == bytes.size()) out << '"';
  }
}

void write(std::ostream& out) {
  out << "#include \"broker/filter/step.h\"\n\nnamespace torno::filter {\nnamespace {\n\n";
  std::size_t number = 0;
  for (const auto& [identity, instructions] : made) {
    out << "constexpr sock_filter kStep" << number++ << "[] = {\n";
    for (const sock_filter& at : instructions) {
      out << "    {" << at.code << ", " << unsigned{at.jt} << ", " << unsigned{at.jf} << ", "
          << at.k << "U},\n";
    }
    out << "};\n\n";
  }
  out << "constexpr ReadyStep kReady[] = {\n";
  number = 0;
  for (const auto& [identity, instructions] : made) {
    out << "    {{";
    write_bytes(out, identity);
    out << ",\n     " << identity.size() << "},\n     kStep" << number++ << "},\n";
  }
  out << "};\n\n}  // namespace\n\n"
         "std::span<const ReadyStep> ready_steps() { return kReady; }\n\n"
         "}  // namespace torno::filter\n";
}

}  // namespace
}  // namespace torno::filter

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: build_steps OUTPUT.cpp\n", stderr);
    return 2;
  }
  if (!torno::filter::compile_all()) return 1;
  std::ofstream out(argv[1]);
  torno::filter::write(out);
  return out.flush() ? 0 : 1;
}
