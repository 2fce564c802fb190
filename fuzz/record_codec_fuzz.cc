// Records of the log, lists of members and stable states, as a disk could give them back whose
// checksums still hold.

#include "core/codec/record_codec.h"

#include "fuzz/round_trip.h"

namespace anchor::fuzz {
namespace {

// Those of the corpus.
constexpr raft::ClusterId kClusterId{7};
constexpr raft::Index kIndex{3};

void check(const Bytes& frame) {
  check_round_trip(
      frame, [](const Bytes& bytes) { return codec::decode_log_record(kClusterId, kIndex, bytes); },
      [](const raft::Entry& entry) { return codec::encode_log_record(kClusterId, entry); });
  // What it gives back is shared, and compared by its contents.
  const auto decode_members = [](const Bytes& bytes) -> Result<raft::Configuration> {
    auto members = codec::decode_membership(kClusterId, bytes);
    if (!members) return std::unexpected(members.error());
    return **members;
  };
  check_round_trip(frame, decode_members, [](const raft::Configuration& members) {
    return codec::encode_membership(kClusterId, members);
  });
  check_round_trip(frame, codec::decode_stable_state, codec::encode_stable_state);
}

}  // namespace
}  // namespace anchor::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto input = anchor::fuzz::as_view(data, size);
  anchor::fuzz::check(anchor::Bytes::copy_of(input));
  anchor::fuzz::check(anchor::fuzz::mend_frame(input));
  return 0;
}
