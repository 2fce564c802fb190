// Frames of a server that asks to join, which anybody can send.

#include "core/codec/joining_codec.h"

#include "fuzz/round_trip.h"

namespace anchor::fuzz {
namespace {

void check(const Bytes& frame) {
  const auto same_bytes = [](const auto& encode) {
    return [&encode](const auto& a, const auto& b) { return encode(a) == encode(b); };
  };
  check_round_trip(frame, codec::decode_join_request, codec::encode_join_request,
                   same_bytes(codec::encode_join_request));
  check_round_trip(frame, codec::decode_join_reply, codec::encode_join_reply,
                   same_bytes(codec::encode_join_reply));
  check_round_trip(frame, codec::decode_join_token, codec::encode_join_token);
}

}  // namespace
}  // namespace anchor::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto input = anchor::fuzz::as_view(data, size);
  anchor::fuzz::check(anchor::Bytes::copy_of(input));
  anchor::fuzz::check(anchor::fuzz::mend_frame(input));
  return 0;
}
