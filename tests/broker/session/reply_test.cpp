#include "broker/session/reply.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <limits>
#include <string>

#include "proto/wire.pb.h"

namespace torno::session {
namespace {

TEST(ReplyTest, IsWhatLibprotobufWrites) {
  using Limits = std::numeric_limits<std::int32_t>;
  for (const std::uint32_t sequence : {0U, 1U, 0x01020304U, 0xffffffffU}) {
    for (const std::int32_t result :
         {0, 1, -1, -13, 63, 64, -65, 4096, Limits::max(), Limits::min()}) {
      wire::BrokerMessage message;
      message.mutable_reply()->set_sequence(sequence);
      message.mutable_reply()->set_result(result);
      std::array<char, kMaxPlainReply> buffer{};
      const std::string_view written = write_reply(sequence, result, buffer);
      wire::BrokerMessage read;
      ASSERT_TRUE(read.ParseFromArray(written.data(), static_cast<int>(written.size())));
      EXPECT_EQ(read.reply().sequence(), sequence);
      EXPECT_EQ(read.reply().result(), result);
      // It says a sequence of 0, which nothing asks for, where libprotobuf leaves it out.
      if (sequence != 0) {
        EXPECT_EQ(written, message.SerializeAsString());
      }
    }
  }
}

}  // namespace
}  // namespace torno::session
