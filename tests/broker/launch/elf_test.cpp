// The head of an ELF file: what is right is read, what is wrong or hostile is said.
#include "broker/launch/elf.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <climits>
#include <cstdint>
#include <limits>
#include <random>

#include "tests/broker/launch/elf_image.h"
#include "tests/support/seed.h"

namespace torno::launch::test {
namespace {

using namespace std::string_view_literals;
using ::testing::HasSubstr;

constexpr const char* kLoader = "/lib64/ld-linux-x86-64.so.2";

Result<Elf> read(std::string_view bytes) {
  return read_elf(file_of(bytes).get());
}

std::string refusal(std::string_view bytes) {
  const auto elf = read(bytes);
  return elf ? "none" : elf.error().message;
}

TEST(Elf, ReadsTheInterpreter) {
  const auto elf = read(ElfImage(kLoader).bytes());
  ASSERT_TRUE(elf) << elf.error().message;
  EXPECT_EQ(elf->interpreter, kLoader);
  EXPECT_FALSE(elf->is_static());

  ElfImage fixed("ld");
  fixed.head.e_type = ET_EXEC;
  EXPECT_EQ(read(fixed.bytes())->interpreter, "ld");
}

TEST(Elf, WithoutAnInterpreterItIsStatic) {
  const auto elf = read(ElfImage("").bytes());
  ASSERT_TRUE(elf) << elf.error().message;
  EXPECT_TRUE(elf->is_static());
}

TEST(Elf, ReadsRealPrograms) {
  const Fd dynamic(::open("/bin/true", O_RDONLY | O_CLOEXEC));
  const auto elf = read_elf(dynamic.get());
  ASSERT_TRUE(elf) << elf.error().message;
  EXPECT_EQ(elf->interpreter, kLoader);

  const Fd loader(::open(kLoader, O_RDONLY | O_CLOEXEC));
  EXPECT_TRUE(read_elf(loader.get())->is_static());
  const Fd linked_statically(::open(TORNO_STATIC_PROGRAM, O_RDONLY | O_CLOEXEC));
  EXPECT_TRUE(read_elf(linked_statically.get())->is_static());
}

TEST(Elf, SaysWhatIsNoProgramForThisMachine) {
  EXPECT_THAT(refusal("#!/bin/sh\n"), HasSubstr("is no ELF file"));
  const auto with = [](auto change) {
    ElfImage image(kLoader);
    change(image.head);
    return refusal(image.bytes());
  };
  EXPECT_THAT(with([](auto& head) { head.e_ident[EI_CLASS] = ELFCLASS32; }), HasSubstr("32-bit"));
  EXPECT_THAT(with([](auto& head) { head.e_ident[EI_CLASS] = 0; }), HasSubstr("32-bit"));
  EXPECT_THAT(with([](auto& head) { head.e_ident[EI_DATA] = ELFDATA2MSB; }),
              HasSubstr("big-endian"));
  EXPECT_THAT(with([](auto& head) { head.e_machine = EM_AARCH64; }), HasSubstr("(aarch64)"));
  EXPECT_THAT(with([](auto& head) { head.e_machine = 4711; }), HasSubstr("machine number 4711"));
  EXPECT_THAT(with([](auto& head) { head.e_type = ET_REL; }), HasSubstr("is an object file"));
  EXPECT_THAT(with([](auto& head) { head.e_type = ET_CORE; }), HasSubstr("is a core dump"));
  EXPECT_THAT(with([](auto& head) { head.e_type = 0xff00; }), HasSubstr("an unknown type"));
}

TEST(Elf, ACutOffFileIsTruncatedWhereverItEnds) {
  const std::string whole = ElfImage(kLoader).bytes();
  ASSERT_TRUE(read(whole));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_THAT(refusal(whole.substr(0, size)), HasSubstr("is a truncated ELF file"))
        << "cut off after " << size << " bytes";
  }
}

TEST(Elf, ProgramHeadersLieWithinTheFile) {
  const auto at = [](std::uint64_t offset) {
    ElfImage image(kLoader);
    image.head.e_phoff = offset;
    return refusal(image.bytes());
  };
  EXPECT_EQ(at(sizeof(Elf64_Ehdr)), "none");
  for (const std::uint64_t offset :
       {std::uint64_t{4096}, std::uint64_t{1} << 40, std::uint64_t{LLONG_MAX} - 1,
        std::uint64_t{LLONG_MAX}, std::uint64_t{LLONG_MAX} + 1,
        std::numeric_limits<std::uint64_t>::max() - 111,
        std::numeric_limits<std::uint64_t>::max()}) {
    EXPECT_THAT(at(offset), HasSubstr("is a truncated ELF file")) << offset;
  }
}

TEST(Elf, OnlyATableThatTheKernelTakesIsRead) {
  const auto table = [](std::uint16_t count, std::uint16_t size) {
    ElfImage image(kLoader);
    image.head.e_phnum = count;
    image.head.e_phentsize = size;
    return refusal(image.bytes() + std::string(1 << 17, '\0'));
  };
  EXPECT_EQ(table(2, sizeof(Elf64_Phdr)), "none");
  EXPECT_EQ(table(1170, sizeof(Elf64_Phdr)), "none");
  EXPECT_THAT(table(1171, sizeof(Elf64_Phdr)), HasSubstr("is a damaged ELF file"));
  EXPECT_THAT(table(65535, sizeof(Elf64_Phdr)), HasSubstr("is a damaged ELF file"));
  EXPECT_THAT(table(0, sizeof(Elf64_Phdr)), HasSubstr("is a damaged ELF file"));
  EXPECT_THAT(table(2, sizeof(Elf64_Phdr) - 1), HasSubstr("is a damaged ELF file"));
  EXPECT_THAT(table(2, 0), HasSubstr("is a damaged ELF file"));
}

TEST(Elf, TheInterpretersNameIsBoundedAndEnds) {
  const auto named = [](std::string_view text, std::uint64_t size) {
    ElfImage image(kLoader);
    image.text = text;
    image.interpreter.p_filesz = size;
    return refusal(image.bytes());
  };
  const std::string longest = std::string(PATH_MAX - 1, 'a') + '\0';
  EXPECT_EQ(named(longest, PATH_MAX), "none");
  EXPECT_THAT(named(longest + '\0', PATH_MAX + 1), HasSubstr("4097 bytes long"));
  EXPECT_THAT(named("/ld\0"sv, 3), HasSubstr("does not end"));
  EXPECT_THAT(named("/ld"sv, 4), HasSubstr("is a truncated ELF file"));
  EXPECT_THAT(named("\0\0\0"sv, 3), HasSubstr("has no name"));
  EXPECT_THAT(named("\0"sv, 1), HasSubstr("1 bytes long"));
  EXPECT_THAT(named("/ld\0"sv, 0), HasSubstr("0 bytes long"));
  EXPECT_THAT(named("/ld\0"sv, std::numeric_limits<std::uint64_t>::max()), HasSubstr("bytes long"));
  EXPECT_EQ(named("/ld\0x\0"sv, 6), "none");
  for (const std::uint64_t offset : {std::uint64_t{1} << 40, std::uint64_t{LLONG_MAX} - 1,
                                     std::numeric_limits<std::uint64_t>::max()}) {
    ElfImage image(kLoader);
    image.interpreter.p_offset = offset;
    EXPECT_THAT(refusal(image.bytes()), HasSubstr("is a truncated ELF file")) << offset;
  }
}

TEST(Elf, TheFirstInterpreterCounts) {
  ElfImage image(kLoader);
  image.load = image.interpreter;
  image.load.p_filesz = image.text.size() - 1;  // does not end
  EXPECT_THAT(refusal(image.bytes()), HasSubstr("does not end"));
}

TEST(Elf, AnyByteMayBeWrong) {
  std::mt19937 random(torno::test::seed(5));
  const std::string whole = ElfImage(kLoader).bytes();
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = whole;
    for (auto changes = 1 + random() % 4; changes > 0; --changes) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    const auto elf = read(bytes);
    if (!elf) continue;
    ASSERT_LT(elf->interpreter.size(), std::size_t{PATH_MAX});
    ASSERT_EQ(elf->interpreter.find('\0'), std::string::npos);
  }
}

}  // namespace
}  // namespace torno::launch::test
