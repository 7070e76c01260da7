// Shells: scripts with all that a shell makes of processes, and busybox, which is a static one.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/programs/workplace.h"

namespace torno::programs {
namespace {

// Of bash; each line is one thing that a script does.
constexpr const char* kScript = R"~(#!/bin/bash
set -u +m
echo "pipe: $(printf '%s\n' c a b | sort | tr '\n' ' ')"
(exit 3); echo "subshell: $?"
false | true | (exit 5); echo "statuses: ${PIPESTATUS[*]}"
cat <<END
here document: $((6 * 7)) $1
END
cat <<<"here string"
diff <(echo one) <(echo two); echo "process substitution: $?"
while read -r line; do echo "line: $line"; done < input
exec 5<input; read -r -u 5 first; exec 5<&-; echo "descriptor: $first"
for number in 1 2 3 4; do (exit "$number") & children+=($!); done
total=0; for child in "${children[@]}"; do wait "$child"; total=$((total + $?)); done
echo "children: $total"
sleep 100 & kill -TERM $!; wait $!; echo "killed: $?"
trap 'echo "trap: USR1"' USR1; kill -USR1 $$
echo "made" > out/made; cat out/made; echo "more" >> out/made; wc -l < out/made
cd out && pwd -P | sed 's,.*/,folder: ,' && cd ..
[ -r input ] && [ ! -e missing ] && [ -d out ] && echo "tests"
echo *; echo "to standard error" >&2; (echo "by name" > /dev/stderr) 2>&1 | cat
env LC_ALL=C true; command -v sort
f() { local IFS=,; echo "function: $*"; }; f 1 2 3
seq 1 100000 | head -n 1
find . -name 'in*' | sort; xargs -n 1 echo item < input
exit 7
)~";

class ScriptPlace : public Workplace {
 public:
  ScriptPlace() {
    write("script", kScript);
    ::chmod(path("script").c_str(), 0755);
    write("input", "first\nsecond\n");
    make_folder("out");
  }
};

const Words& shell_options() {
  static const Words options = {"--policy", "bash", "--read", ".", "--write", "out"};
  return options;
}

TEST(Programs, BashScript) {
  TORNO_NEEDS("bash");
  const ScriptPlace place;
  const Words command = {"bash", "script", "argument"};
  const Outcome free = place.outside(command);
  EXPECT_EQ(free.status, 7) << testing::PrintToString(free);
  EXPECT_EQ(place.inside(shell_options(), command), free);
}

TEST(Programs, AScriptByItsFirstLine) {
  TORNO_NEEDS("bash");
  const ScriptPlace place;
  const Words command = {"./script", "argument"};
  EXPECT_EQ(place.inside(shell_options(), command), place.outside(command));
  // The same of one that a script starts.
  Words options = shell_options();
  const std::string policy =
      place.write("run.policy", "file { path: \"" + place.path("script") + "\" allow: EXECUTE }");
  options.insert(options.end(), {"--policy", policy});
  const Words nested = {"sh", "-c", "./script nested; echo $?"};
  EXPECT_EQ(place.inside(options, nested), place.outside(nested));
}

TEST(Programs, AScriptReadsNothingElse) {
  const ScriptPlace place;
  const Workplace other;
  const std::string secret = other.write("secret", "the secret of another\n");
  place.expect_refused(shell_options(), {"sh", "-c", "cat " + secret}, "the secret of another");
  place.expect_refused(shell_options(), {"sh", "-c", "read line < " + secret + " && echo $line"},
                       "the secret of another");
}

// A program that lies where the script may write is not executed.
TEST(Programs, AScriptExecutesNothingItMade) {
  const ScriptPlace place;
  const Words command = {"sh", "-c", "cp /bin/echo out/echo && out/echo it ran"};
  place.expect_refused(shell_options(), command, "it ran");
}

TEST(Programs, SignalsEndAShellAlike) {
  const Workplace place;
  const Words command = {"sh", "-c", "kill -SEGV $$"};
  EXPECT_EQ(place.outside(command).status, 128 + 11);
  const Outcome confined = place.inside({"--policy", "bash"}, command);
  EXPECT_EQ(confined.status, 128 + 11);
  EXPECT_EQ(confined.err, "torno: error: ended by SIGSEGV (segmentation fault)\n");
}

TEST(Programs, Busybox) {
  TORNO_NEEDS("busybox");
  Workplace place;
  place.write("input", "second\nfirst\n");
  const Words options = {"--policy", "busybox", "--read", "."};
  const std::string script =
      "echo hello | cat; (exit 3); echo $?; sort input | wc -l; ls; sh -c 'echo inner';"
      "awk '{ print NR \": \" $1 }' input; sed s/first/1/ input; for i in 1 2; do (exit $i) & done;"
      "wait; cat <<END\nhere\nEND\ngzip -c input | gunzip; md5sum < input; find . -type f; date -u "
      "-d @0";
  place.expect_same(options, {"busybox", "sh", "-c", script});
  place.expect_same(options, {"busybox", "tail", "-n", "1", "input"});

  const Workplace other;
  const std::string secret = other.write("secret", "the secret of another\n");
  place.expect_refused(options, {"busybox", "cat", secret}, "the secret of another");
  place.expect_refused(options, {"busybox", "sh", "-c", "/bin/echo it ran"}, "it ran");
}

}  // namespace
}  // namespace torno::programs
