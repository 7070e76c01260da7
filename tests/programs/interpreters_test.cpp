// Languages whose interpreters bring much machinery of their own: threads, children, compilers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/programs/workplace.h"

namespace torno::programs {
namespace {

constexpr const char* kPython = R"~(
import json, os, re, signal, subprocess, sys, tempfile, threading
import multiprocessing

def square(pipe, number):
    pipe.send(number * number)

print(subprocess.run(["sort"], input="b\na\n", capture_output=True, text=True))
print(subprocess.check_output("echo $((6 * 7)) | cat", shell=True))
print(subprocess.Popen(["sh", "-c", "exit 5"]).wait())
try:
    subprocess.run(["/usr/bin/missing"])
except FileNotFoundError as error:
    print(error)
mine, theirs = multiprocessing.Pipe()
child = multiprocessing.Process(target=square, args=(theirs, 12))
child.start()
print(mine.recv())
child.join()
print(child.exitcode)
results = []
threads = [threading.Thread(target=results.append, args=(i,)) for i in range(20)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(sorted(results))
signal.signal(signal.SIGALRM, lambda number, frame: print("signal", number))
signal.setitimer(signal.ITIMER_REAL, 0.001)
signal.pause()
print(json.dumps({"a": [1, 2]}), re.sub("a", "b", "banana"))
with open("out/made", "w") as made:
    made.write("made\n")
print(open("out/made").read(), os.path.getsize("out/made"), sorted(os.listdir(".")))
print(open(sys.argv[1]).read())
)~";

class PythonPlace : public Workplace {
 public:
  PythonPlace() {
    write("script.py", kPython);
    write("input", "some words\n");
    make_folder("out");
  }
};

TEST(Programs, PythonWithChildrenAndThreads) {
  TORNO_NEEDS("python3");
  const PythonPlace place;
  const Words options = {"--policy", "python3", "--policy", "bash",
                         "--read",   ".",       "--write",  "out"};
  place.expect_same(options, {"python3", "-B", "script.py", "input"});
  place.expect_same(options, {"python3", "-c", "import sys; print(sys.version, sys.path[1:])"});
}

// What it does without executing anything, it does by either transport.
TEST(Programs, PythonByItself) {
  TORNO_NEEDS("python3");
  const Workplace place;
  place.write("input", "some words\n");
  place.make_folder("out");
  const Words options = {"--policy", "python3", "--read", ".", "--write", "out"};
  place.expect_same_by_both(options, {"python3", "-B", "-c", R"~(
import multiprocessing, os, signal, subprocess, threading
def square(pipe, number): pipe.send(number * number)
try:
    subprocess.run(["/usr/bin/missing"])
except OSError as error:
    print("not executed")
mine, theirs = multiprocessing.Pipe()
child = multiprocessing.Process(target=square, args=(theirs, 12))
child.start()
print(mine.recv())
child.join()
print(child.exitcode)
sizes = []
threads = [threading.Thread(target=lambda: sizes.append(len(open("input").read())))
           for i in range(100)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(sum(sizes), os.stat("input").st_size, os.access("input", os.R_OK), os.getcwd())
signal.signal(signal.SIGALRM, lambda number, frame: print("signal", number))
signal.setitimer(signal.ITIMER_REAL, 0.001)
signal.pause()
os.umask(0o077)
with open("out/made", "w") as made: made.write("made\n")
print(oct(os.stat("out/made").st_mode), sorted(os.listdir("out")), open("out/made").read())
os.chdir("out")
print(open("made").read(), os.path.realpath("made"))
for fd in range(3): os.fstat(fd)
print(open("/dev/stdin").read(), os.environ.get("LD_PRELOAD"))
)~"});
}

TEST(Programs, PythonReadsNothingElse) {
  TORNO_NEEDS("python3");
  const Workplace place;
  const Workplace other;
  const std::string secret = other.write("secret", "the secret of another\n");
  const Words options = {"--policy", "python3"};
  place.expect_refused(options, {"python3", "-c", "print(open('" + secret + "').read())"},
                       "the secret of another");
  place.expect_refused(
      options,
      {"python3", "-c", "import subprocess; subprocess.run(['echo', 'it ran'], check=True)"},
      "it ran");
}

TEST(Programs, PerlWithSystem) {
  TORNO_NEEDS("perl");
  const Workplace place;
  const Words options = {"--policy", "perl", "--policy", "bash", "--read", "."};
  place.expect_same(options, {"perl", "-MPOSIX", "-MList::Util=sum", "-e", R"~(
    $| = 1;
    system("echo one; exit 3"); print $? >> 8, "\n";
    system("echo", "two"); print `echo three | cat`;
    open(my $pipe, "-|", "sort", "/dev/null") or die; print <$pipe>; close $pipe;
    my $child = fork; if (!$child) { exit 7 } waitpid $child, 0; print $? >> 8, "\n";
    $SIG{USR1} = sub { print "signal\n" }; kill USR1 => $$;
    print sum(1..10), " ", POSIX::strftime("%Y", gmtime 0), "\n";
    opendir(my $folder, ".") or die $!; print join(" ", sort readdir $folder), "\n";)~"});
  const Workplace other;
  const std::string secret = other.write("secret", "the secret of another\n");
  place.expect_refused({"--policy", "perl"},
                       {"perl", "-e", "open F, '" + secret + "' or die; print <F>"},
                       "the secret of another");
}

TEST(Programs, Node) {
  TORNO_NEEDS("node");
  Workplace place;
  place.write("input", "some words\n");
  const Words options = {"--policy", "node", "--read", "."};
  place.expect_same(options, {"node", "-e", R"~(
    const fs = require('fs'), crypto = require('crypto'), zlib = require('zlib');
    const { Worker } = require('worker_threads');
    console.log(process.version, 6 * 7, fs.readdirSync('.'));
    fs.readFile('input', 'utf8', (error, text) => {
      console.log(error, text);
      fs.readFile('missing', error => {
        console.log(error.code);
        new Worker('require("worker_threads").parentPort.postMessage(42)', { eval: true })
            .on('message', message => console.log('worker', message));
      });
    });
    console.log(crypto.createHash('sha256').update('x').digest('hex'));
    console.log(zlib.gunzipSync(zlib.gzipSync('packed')).toString());
    let sum = 0; for (let i = 0; i < 1e6; i++) sum += i % 7; console.log(sum);)~"});
  const Workplace other;
  const std::string secret = other.write("secret", "the secret of another\n");
  place.expect_refused(
      options, {"node", "-e", "console.log(require('fs').readFileSync('" + secret + "', 'utf8'))"},
      "the secret of another");
}

TEST(Programs, JavaVersion) {
  TORNO_NEEDS("java");
  const Workplace place;
  place.expect_same_by_both({"--policy", "java"}, {"java", "-version"});
  // A file of arguments, of which it prints the one that it does not know.
  const Workplace other;
  const std::string secret = other.write("arguments", "--the-secret-of-another\n");
  const Words command = {"java", "@" + secret, "-version"};
  EXPECT_THAT(place.outside(command).err, testing::HasSubstr("secret-of-another"));
  const Outcome confined = place.inside({"--policy", "java"}, command);
  EXPECT_NE(confined.status, 0);
  EXPECT_THAT(confined.err, testing::Not(testing::HasSubstr("secret-of-another")));
}

}  // namespace
}  // namespace torno::programs
