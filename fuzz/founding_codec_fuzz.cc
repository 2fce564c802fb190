// Frames of the founding protocol: what servers say that belong to no cluster yet.

#include "core/codec/founding_codec.h"

#include "fuzz/round_trip.h"

namespace anchor::fuzz {
namespace {

void check(const Bytes& frame) {
  const auto same_bytes = [](const auto& encode) {
    return [&encode](const auto& a, const auto& b) { return encode(a) == encode(b); };
  };
  check_round_trip(frame, codec::decode_founding_request, codec::encode_founding_request,
                   same_bytes(codec::encode_founding_request));
  check_round_trip(frame, codec::decode_founding_reply, codec::encode_founding_reply,
                   same_bytes(codec::encode_founding_reply));
  check_round_trip(frame, codec::decode_founding_proposal, codec::encode_founding_proposal);
}

}  // namespace
}  // namespace anchor::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto input = anchor::fuzz::as_view(data, size);
  anchor::fuzz::check(anchor::Bytes::copy_of(input));
  anchor::fuzz::check(anchor::fuzz::mend_frame(input));
  return 0;
}
