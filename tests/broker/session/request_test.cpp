#include "broker/session/request.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>

namespace torno::session {
namespace {

// A length-delimited field.
std::string field(int number, const std::string& content) {
  std::string bytes;
  bytes += static_cast<char>(number << 3 | 2);
  bytes += static_cast<char>(content.size());
  return bytes + content;
}

std::string envelope(const std::string& request) {
  return field(wire::ClientMessage::kRequestFieldNumber, request);
}

wire::ClientMessage with_call(void (*set)(wire::Request&)) {
  wire::ClientMessage message;
  wire::Request& request = *message.mutable_request();
  request.set_sequence(0x81000003);
  request.set_channel(300);
  request.set_directory(wire::DIRECTORY_FD);
  request.set_cwd("/cwd");
  request.set_path(std::string("/path\0behind", 12));
  set(request);
  return message;
}

Request read(const wire::ClientMessage& message, const std::string& bytes) {
  Request request;
  EXPECT_EQ(read_request(bytes, request), Read::kRequest);
  EXPECT_EQ(request.sequence, message.request().sequence());
  EXPECT_EQ(request.channel, message.request().channel());
  EXPECT_EQ(request.directory, message.request().directory());
  EXPECT_EQ(request.cwd, message.request().cwd());
  EXPECT_EQ(request.path, message.request().path());
  return request;
}

TEST(RequestTest, EveryCallWithItsFields) {
  auto message = with_call([](wire::Request& sent) {
    sent.mutable_open()->set_flags(~std::uint64_t{0});
    sent.mutable_open()->set_mode(0640);
    sent.mutable_open()->set_resolve(std::uint64_t{1} << 63);
  });
  std::string bytes = message.SerializeAsString();
  Request request = read(message, bytes);
  EXPECT_EQ(request.kind, Kind::kOpen);
  EXPECT_EQ(request.flags, ~std::uint64_t{0});
  EXPECT_EQ(request.mode, 0640U);
  EXPECT_EQ(request.resolve, std::uint64_t{1} << 63);

  message = with_call([](wire::Request& sent) {
    sent.mutable_stat()->set_flags(0x100);
    sent.mutable_stat()->set_mask(0xffffffff);
  });
  bytes = message.SerializeAsString();
  request = read(message, bytes);
  EXPECT_EQ(request.kind, Kind::kStat);
  EXPECT_EQ(request.flags, 0x100U);
  EXPECT_EQ(request.mask, 0xffffffffU);

  message = with_call([](wire::Request& sent) {
    sent.mutable_access()->set_mode(4);
    sent.mutable_access()->set_flags(0x200);
  });
  bytes = message.SerializeAsString();
  request = read(message, bytes);
  EXPECT_EQ(request.kind, Kind::kAccess);
  EXPECT_EQ(request.mode, 4U);
  EXPECT_EQ(request.flags, 0x200U);

  message = with_call([](wire::Request& sent) { sent.mutable_readlink()->set_size(4096); });
  bytes = message.SerializeAsString();
  request = read(message, bytes);
  EXPECT_EQ(request.kind, Kind::kReadlink);
  EXPECT_EQ(request.size, 4096U);

  message = with_call([](wire::Request& sent) { sent.mutable_connect(); });
  bytes = message.SerializeAsString();
  EXPECT_EQ(read(message, bytes).kind, Kind::kConnect);

  message = with_call([](wire::Request& sent) { sent.mutable_narrow(); });
  bytes = message.SerializeAsString();
  EXPECT_EQ(read(message, bytes).kind, Kind::kNarrow);

  message = with_call([](wire::Request&) {});
  bytes = message.SerializeAsString();
  EXPECT_EQ(read(message, bytes).kind, Kind::kUnknown);
}

TEST(RequestTest, OtherMessagesAreNotItsOwn) {
  wire::ClientMessage message;
  Request request;
  EXPECT_EQ(read_request(message.SerializeAsString(), request), Read::kOther);
  message.mutable_hello()->set_policy("p");
  EXPECT_EQ(read_request(message.SerializeAsString(), request), Read::kOther);
  message.mutable_cancel()->set_sequence(1);
  EXPECT_EQ(read_request(message.SerializeAsString(), request), Read::kOther);
}

TEST(RequestTest, CutAnywhereItIsBroken) {
  const std::string whole = with_call([](wire::Request& request) {
                              request.mutable_open()->set_flags(0x80000);
                            }).SerializeAsString();
  for (std::size_t size = 1; size < whole.size(); ++size) {
    Request request;
    EXPECT_EQ(read_request(std::string_view(whole).substr(0, size), request), Read::kBroken)
        << size;
  }
}

TEST(RequestTest, NothingStandsBesideIt) {
  const std::string whole =
      with_call([](wire::Request& request) { request.mutable_open(); }).SerializeAsString();
  Request request;
  EXPECT_EQ(read_request(whole + whole, request), Read::kBroken);
  EXPECT_EQ(read_request(whole + '\0', request), Read::kBroken);
}

TEST(RequestTest, UnknownFieldsAreSkipped) {
  const std::string path = field(wire::Request::kPathFieldNumber, "/x");
  for (const std::string& unknown :
       {std::string("\xa0\x06\xff\x01", 4),  // 100: a varint
        std::string("\xa1\x06\1\2\3\4\5\6\7\10", 10),
        std::string("\xa2\x06\2ab", 5),                                       // 64 bits, bytes
        std::string("\xa5\x06\1\2\3\4", 6),                                   // 32 bits
        field(wire::Request::kOpenFieldNumber, std::string("\x20\1", 2))}) {  // of Open
    Request request;
    const std::string bytes = envelope(unknown + path);
    EXPECT_EQ(read_request(bytes, request), Read::kRequest);
    EXPECT_EQ(request.path, "/x");
  }
}

TEST(RequestTest, WhatNoEncoderMakesIsBroken) {
  const std::string open = field(wire::Request::kOpenFieldNumber, "");
  for (const std::string& odd :
       {open + open,  // two calls
        open + field(wire::Request::kStatFieldNumber, ""),
        std::string("\x58\1", 2),   // a path that is a number
        std::string("\x0a\1x", 3),  // a sequence that is bytes
        field(wire::Request::kOpenFieldNumber, std::string("\x0a\1x", 3)),  // flags that are
        std::string("\x63", 1),                                             // a group
        std::string("\0\0", 2),                                             // field 0
        std::string("\x40\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\1", 12),  // a long number
        std::string("\xd8\x80\x80\x80\x80\0\1x", 8),                        // a long tag
        std::string("\x5a\xff\xff\xff\xff\xff\xff\xff\xff\x7fx", 11)}) {    // a huge length
    Request request;
    EXPECT_EQ(read_request(envelope(odd), request), Read::kBroken);
  }
}

}  // namespace
}  // namespace torno::session
