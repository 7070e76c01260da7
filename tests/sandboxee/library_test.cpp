// What the built libraries show and need.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <set>
#include <sstream>
#include <string>

#include "tests/support/temporary_directory.h"

namespace torno::test {
namespace {

using testing::HasSubstr;

const std::string kShared = TORNO_BINARY_DIR "/lib/libtorno.so";
const std::string kStatic = TORNO_BINARY_DIR "/lib/libtorno.a";

// Standard output of a command; its exit status must be 0.
std::string output_of(const std::string& command) {
  std::string text;
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return "";
  char buffer[4096];
  std::size_t got;
  while ((got = fread(buffer, 1, sizeof buffer, pipe)) > 0) text.append(buffer, got);
  EXPECT_EQ(pclose(pipe), 0) << command << "\n" << text;
  return text;
}

std::set<std::string> words(const std::string& text) {
  std::istringstream stream(text);
  std::set<std::string> result;
  for (std::string word; stream >> word;) result.insert(word);
  return result;
}

const std::set<std::string> kExports = {"torno_enter", "torno_is_confined", "torno_on_trap",
                                        "torno_set", "torno_version"};

TEST(Library, ExportsItsHeaderAndNothingElse) {
  EXPECT_EQ(words(output_of("nm -D --defined-only " + kShared +
                            " | awk '$2 != \"A\" { sub(/@.*/, \"\", $3); print $3 }'")),
            kExports);
  EXPECT_EQ(words(output_of("nm -g --defined-only " + kStatic + " | awk 'NF == 3 { print $3 }'")),
            kExports);
}

TEST(Library, NeedsLibcAlone) {
  EXPECT_EQ(
      words(output_of("readelf -d " + kShared + " | sed -n 's/.*(NEEDED).*\\[\\(.*\\)\\]/\\1/p'")),
      std::set<std::string>{"libc.so.6"});
  EXPECT_THAT(output_of("readelf -d " + kShared), HasSubstr("[libtorno.so.0]"));
}

// It comes before a program's own libraries, and takes none of their names.
TEST(Library, ThePreloadedOneShowsNothing) {
  const std::string preload = TORNO_BINARY_DIR "/lib/libtorno_preload.so";
  EXPECT_EQ(output_of("nm -D --defined-only " + preload), "");
  const std::string dynamic = output_of("readelf -d " + preload);
  EXPECT_THAT(dynamic, HasSubstr("INITFIRST"));
  EXPECT_EQ(
      words(output_of("readelf -d " + preload + " | sed -n 's/.*(NEEDED).*\\[\\(.*\\)\\]/\\1/p'")),
      std::set<std::string>{"libc.so.6"});
}

// The handler can neither allocate nor take a lock of libc's where there is no such call.
TEST(Library, CallsNoHeapNoThreadsNoLazyStorage) {
  const std::set<std::string> needed =
      words(output_of("nm -g --undefined-only " + kStatic + " | awk 'NF == 2 { print $2 }'"));
  for (const char* name : {"malloc", "calloc", "realloc", "free", "memcpy", "__tls_get_addr",
                           "pthread_mutex_lock", "_Znwm", "__cxa_guard_acquire"}) {
    EXPECT_FALSE(needed.contains(name)) << name;
  }
}

TEST(Library, LinksIntoACProgram) {
  const TemporaryDirectory directory;
  const std::string source = directory.write(
      "main.c",
      "#include <torno/torno.h>\n"
      "int main(void) { return torno_is_confined() || torno_version()[0] == 0; }\n");
  const std::string compile = "cc -std=c99 -Wall -Wextra -Werror -I" TORNO_SOURCE_DIR
                              "/sandboxee/include -o " +
                              directory.path() + "/";
  output_of(compile + "static -static " + source + " " + kStatic);
  output_of(directory.path() + "/static");
  output_of(compile + "shared " + source + " " + kShared + " -Wl,-rpath," TORNO_BINARY_DIR "/lib");
  output_of(directory.path() + "/shared");
}

}  // namespace
}  // namespace torno::test
