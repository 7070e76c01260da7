// The broker's own sockets and policy directories, whatever a policy says.
#include "tests/broker/files/files_fixture.h"

namespace torno::files {
namespace {

class ProtectedTest : public FilesFixture {
 protected:
  void SetUp() override {
    FilesFixture::SetUp();
    make_directory("policies/nested");
    make_directory("policies2");
    write("policies/wide.policy");
    write("policies2/file");
    write("secret");
    protect({at("policies"), at("secret"), at("later")});
    allow(R"(file { path: "$D/**" allow: [READ, WRITE, CREATE] })");
  }
};

TEST_F(ProtectedTest, IsRefusedWithEverythingBeneath) {
  for (const char* name : {"policies", "policies/", "policies/wide.policy", "policies/missing",
                           "policies/nested", "secret"}) {
    EXPECT_TRUE(is_denied(open(at(name)))) << name;
    EXPECT_TRUE(is_denied(stat(at(name)))) << name;
    EXPECT_TRUE(is_denied(access(at(name), F_OK))) << name;
    EXPECT_TRUE(is_denied(open(at(name), O_PATH))) << name;
  }
  EXPECT_TRUE(is_denied(open(at("policies/new.policy"), O_WRONLY | O_CREAT, 0600)));
  EXPECT_TRUE(is_denied(open(at("policies"), O_WRONLY | O_TMPFILE, 0600)));
  EXPECT_NE(::access(at("policies/new.policy").c_str(), F_OK), 0);
  EXPECT_EQ(open(at("policies2/file")).error, 0) << "a sibling with the same prefix";
}

TEST_F(ProtectedTest, IsRefusedUnderEveryName) {
  ASSERT_EQ(::link(at("secret").c_str(), at("hard").c_str()), 0);
  link("policies", "soft");
  EXPECT_TRUE(is_denied(open(at("hard"))));
  EXPECT_TRUE(is_denied(stat(at("hard"))));
  EXPECT_TRUE(is_denied(open(at("soft/wide.policy"))));
  EXPECT_TRUE(is_denied(open(at("policies2/../policies/wide.policy"))));
  const Fd directory(::open(at("policies").c_str(), O_PATH | O_CLOEXEC));
  EXPECT_TRUE(is_denied(open({.place = place_at(directory.get(), "wide.policy")})));
}

TEST_F(ProtectedTest, WhatDoesNotExistYetIsRefusedByName) {
  EXPECT_TRUE(is_denied(open(at("later"), O_WRONLY | O_CREAT, 0600)));
  write("later");
  EXPECT_TRUE(is_denied(open(at("later"))));
}

TEST_F(ProtectedTest, IsFoundThroughLinks) {
  link("policies2", "alias");
  protect({at("alias")});
  EXPECT_TRUE(is_denied(open(at("policies2/file"))));
}

}  // namespace
}  // namespace torno::files
