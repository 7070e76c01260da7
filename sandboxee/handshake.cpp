#include "sandboxee/handshake.h"

#include <pb_encode.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <cerrno>

#include "sandboxee/message.h"
#include "sandboxee/variables.h"

namespace torno {
namespace {

bool put_string(pb_ostream_t* stream, const pb_field_t* field, const char* text) {
  return pb_encode_tag_for_field(stream, field) &&
         pb_encode_string(stream, reinterpret_cast<const pb_byte_t*>(text), strlen(text));
}

bool put_policy(pb_ostream_t* stream, const pb_field_t* field, void* const* policy) {
  return put_string(stream, field, static_cast<const char*>(*policy));
}

bool put_variables(pb_ostream_t* stream, const pb_field_t* field, void* const*) {
  for (int i = 0; i < variable_count(); ++i) {
    if (!put_string(stream, field, variable(i))) return false;
  }
  return true;
}

bool say_hello(int control, const char* policy, Failure& fail) {
  torno_wire_ClientMessage message = torno_wire_ClientMessage_init_zero;
  message.which_kind = torno_wire_ClientMessage_hello_tag;
  torno_wire_Hello& hello = message.kind.hello;
  hello.min_version = torno_wire_Constant_VERSION;
  hello.max_version = torno_wire_Constant_VERSION;
  hello.policy.funcs.encode = put_policy;
  hello.policy.arg = const_cast<char*>(policy);
  hello.variables.funcs.encode = put_variables;
  static_assert(sizeof TORNO_VERSION - 1 <= sizeof hello.software.bytes);
  hello.software.size = sizeof TORNO_VERSION - 1;
  memcpy(hello.software.bytes, TORNO_VERSION, hello.software.size);

  pb_byte_t buffer[torno_wire_Constant_MAX_MESSAGE];
  pb_ostream_t stream = pb_ostream_from_buffer(buffer, sizeof buffer);
  if (!pb_encode(&stream, torno_wire_ClientMessage_fields, &message)) {
    return fail(EINVAL, "the policy's name and the variables are too long together");
  }
  if (send(control, buffer, stream.bytes_written, MSG_NOSIGNAL) < 0) {
    return fail(EIO, "the broker does not listen: %s", strerror(errno));
  }
  return true;
}

long now_milliseconds() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1'000'000;
}

bool wait_for_answer(int control, Failure& fail) {
  const long deadline = now_milliseconds() + kHandshakeMilliseconds;
  for (;;) {
    const long left = deadline - now_milliseconds();
    pollfd socket{control, POLLIN, 0};
    const int ready = left > 0 ? poll(&socket, 1, static_cast<int>(left)) : 0;
    if (ready > 0) return true;
    if (ready == 0) {
      return fail(EIO,
                  "the broker did not answer within %d seconds: it is busy or out of descriptors, "
                  "as its log then says; try again later",
                  kHandshakeMilliseconds / 1000);
    }
    if (errno != EINTR) return fail.system(errno, "cannot wait for the broker");
  }
}

int errno_of(torno_wire_Refused_Reason reason) {
  switch (reason) {
    case torno_wire_Refused_Reason_REASON_VERSION:
      return EPROTO;
    case torno_wire_Refused_Reason_REASON_KERNEL:
      return ENOSYS;
    default:
      return ECONNREFUSED;
  }
}

bool say_refused(const torno_wire_Refused& refused, Failure& fail) {
  const int error = errno_of(refused.reason);
  const auto size = static_cast<int>(refused.message.size);
  const auto* text = reinterpret_cast<const char*>(refused.message.bytes);
  if (size > 0) return fail(error, "%.*s", size, text);
  if (refused.reason == torno_wire_Refused_Reason_REASON_VERSION) {
    return fail(error, "the broker speaks wire versions %u to %u, this library %d",
                refused.min_version, refused.max_version, torno_wire_Constant_VERSION);
  }
  return fail(error, "the broker refused this process and gave no reason");
}

}  // namespace

bool shake_hands(int control, const char* policy, Terms& terms, Failure& fail) {
  if (!say_hello(control, policy, fail) || !wait_for_answer(control, fail)) return false;
  unsigned char buffer[torno_wire_Constant_MAX_MESSAGE];
  Received received;
  do {
    received = receive(control, buffer, sizeof buffer, MSG_CMSG_CLOEXEC);
  } while (received.size == -EINTR);
  if (received.size == 0 || received.size == -ECONNRESET) {
    return fail(EIO, "the broker closed the connection without an answer");
  }
  if (received.size < 0) {
    return fail.system(static_cast<int>(-received.size), "cannot read the broker's answer");
  }
  const wire::Bytes answer{buffer, static_cast<std::size_t>(received.size)};

  torno_wire_Refused refused;
  if (wire::decode_refused(wire::open_envelope(answer, torno_wire_BrokerMessage_refused_tag),
                           refused)) {
    received.close_fds();
    return say_refused(refused, fail);
  }
  if (!wire::decode_welcome(wire::open_envelope(answer, torno_wire_BrokerMessage_welcome_tag),
                            terms.welcome)) {
    received.close_fds();
    return fail(EPROTO, "what answers is not a broker, or speaks another wire version");
  }
  if (terms.welcome.version != torno_wire_Constant_VERSION) {
    received.close_fds();
    return fail(EPROTO, "the broker chose wire version %u, this library speaks %d",
                terms.welcome.version, torno_wire_Constant_VERSION);
  }
  return read_terms(received, terms, fail);
}

}  // namespace torno
