// Frames of messages, as a peer that has gone mad could send them.

#include "core/codec/message_codec.h"

#include "fuzz/round_trip.h"

namespace anchor::fuzz {
namespace {

// That of the corpus.
constexpr raft::ClusterId kClusterId{7};

void check(const Bytes& frame) {
  check_round_trip(
      frame, [](const Bytes& bytes) { return codec::decode_message(kClusterId, bytes); },
      [](const raft::Message& message) { return codec::encode_message(kClusterId, message); });
}

}  // namespace
}  // namespace anchor::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto input = anchor::fuzz::as_view(data, size);
  anchor::fuzz::check(anchor::Bytes::copy_of(input));
  anchor::fuzz::check(anchor::fuzz::mend_frame(input));
  return 0;
}
