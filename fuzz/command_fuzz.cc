// Commands as log entries carry them, and the store's answers as a leader sends them back. Apply is
// total: whatever the bytes are, there is an answer, and the store stays sound.

#include "core/kv/command.h"

#include "core/kv/store.h"
#include "fuzz/round_trip.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace kv = anchor::kv;
  const auto bytes = anchor::Bytes::copy_of(anchor::fuzz::as_view(data, size));
  anchor::fuzz::check_round_trip(bytes, kv::decode_command, kv::encode_command);
  anchor::fuzz::check_round_trip(bytes, kv::decode_result, kv::encode_result);

  kv::Store store;
  const kv::CommandResult first = store.apply(bytes);
  const std::uint64_t digest = store.digest();
  ANCHOR_ASSERT(digest == store.recomputed_digest());
  // An empty store is changed by what says that it was.
  const bool changed = digest != kv::Store().digest();
  const bool may = std::holds_alternative<kv::PutDone>(first) ||
                   std::holds_alternative<kv::TransactionDone>(first) ||
                   std::holds_alternative<kv::SessionOpened>(first) ||
                   std::holds_alternative<kv::SettingsChanged>(first);
  ANCHOR_ASSERT(!changed || may);
  store.apply(bytes);
  store.tree().check_invariants();
  ANCHOR_ASSERT(store.digest() == store.recomputed_digest());
  ANCHOR_ASSERT(changed || store.digest() == digest);
  const auto range = store.view({});
  ANCHOR_ASSERT(range.count() == store.tree().size());
  return 0;
}
