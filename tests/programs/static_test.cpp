// Static programs, of C, Go and Rust.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/programs/workplace.h"

namespace torno::programs {
namespace {

using testing::HasSubstr;

const std::string kStatic = TORNO_BINARY_DIR "/tests/static_program";

TEST(Programs, StaticC) {
  Workplace place;
  place.write("input", "some words\n");
  place.expect_same({"--profile", "PURE_COMPUTATION", "--read", "input"},
                    {kStatic, "input", "--fork", "--own-ids"});
  place.expect_refused({"--profile", "PURE_COMPUTATION"}, {kStatic, "input"}, "some words");
}

TEST(Programs, StaticCThatCrashes) {
  const Workplace place;
  EXPECT_EQ(place.outside({kStatic, "--fork", "--crash"}), (Outcome{139, "child: 9\n", ""}));
  EXPECT_EQ(place.inside({}, {kStatic, "--fork", "--crash"}),
            (Outcome{139, "child: 9\n", "torno: error: ended by SIGSEGV (segmentation fault)\n"}));
}

TEST(Programs, NobodyElsesIds) {
  const Workplace place;
  // EPERM; EINVAL in a user namespace, which has no other ids.
  const Outcome confined = place.inside({}, {kStatic, "--other-ids"});
  EXPECT_EQ(confined.status, 0) << confined.err;
  EXPECT_THAT(confined.out, HasSubstr("another group: "));
  EXPECT_THAT(confined.out, testing::Not(HasSubstr("yes")));
  if (::getuid() != 0) return;  // others are nobody else outside either
  EXPECT_THAT(place.outside({kStatic, "--other-ids"}).out, HasSubstr("another user: yes"));
}

constexpr const char* kGo = R"~(package main

import (
	"bufio"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
)

func main() {
	var wait sync.WaitGroup
	sums := make(chan int, 100)
	for i := 0; i < 100; i++ {
		wait.Add(1)
		go func(i int) {
			defer wait.Done()
			runtime.Gosched()
			sums <- i
		}(i)
	}
	wait.Wait()
	close(sums)
	total := 0
	for sum := range sums {
		total += sum
	}
	fmt.Println("sum:", total)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR1)
	syscall.Kill(syscall.Getpid(), syscall.SIGUSR1)
	fmt.Println("signal:", <-signals)
	runtime.GC()
	for _, name := range os.Args[1:] {
		file, err := os.Open(name)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(3)
		}
		for lines := bufio.NewScanner(file); lines.Scan(); {
			fmt.Println(lines.Text())
		}
	}
}
)~";

TEST(Programs, StaticGo) {
  TORNO_NEEDS("go");
  Workplace place;
  place.write("program.go", kGo);
  place.write("input", "some words\n");
  place.set_variables({"CGO_ENABLED=0", "GO111MODULE=off", "GOCACHE=" + place.path("cache")});
  const Outcome built = place.outside({"go", "build", "-o", "program", "program.go"});
  ASSERT_EQ(built.status, 0) << built.err;
  place.expect_same({"--policy", "go", "--read", "input"}, {"./program", "input"});
  place.expect_refused({"--policy", "go"}, {"./program", "input"}, "some words");
}

constexpr const char* kRust = R"~(use std::{env, fs, process, thread};

fn main() {
    let threads: Vec<_> = (0..8).map(|i| thread::spawn(move || i * i)).collect();
    let sum: i32 = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
    println!("sum: {}", sum);
    for name in env::args().skip(1) {
        match fs::read_to_string(&name) {
            Ok(text) => print!("{}", text),
            Err(error) => {
                eprintln!("{}: {}", name, error);
                process::exit(3)
            }
        }
    }
}
)~";

TEST(Programs, StaticRust) {
  TORNO_NEEDS("rustc");
  Workplace place;
  place.write("program.rs", kRust);
  place.write("input", "some words\n");
  const Outcome built =
      place.outside({"rustc", "-C", "target-feature=+crt-static", "-o", "program", "program.rs"});
  ASSERT_EQ(built.status, 0) << built.err;
  EXPECT_THAT(place.outside({"file", "program"}).out, HasSubstr("static"));
  place.expect_same({"--profile", "PURE_COMPUTATION", "--read", "input"}, {"./program", "input"});
  place.expect_refused({"--profile", "PURE_COMPUTATION"}, {"./program", "input"}, "some words");
}

}  // namespace
}  // namespace torno::programs
