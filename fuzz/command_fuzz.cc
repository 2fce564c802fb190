// Commands as log entries carry them, and the store's answers as a leader sends them back. Apply is
// total: whatever the bytes are, there is an answer, and the store stays sound.

#include "core/kv/command.h"

#include "core/kv/store.h"
#include "fuzz/round_trip.h"

namespace {

using namespace anchor;

// Two keys, one of them changed, one gone; and two sessions, one of which has written.
kv::Store small_store() {
  kv::Store store;
  const auto put = [](std::string key) {
    return kv::Put{std::move(key), Bytes::copy_of("value"), kv::Always{}};
  };
  for (const char* key : {"a", "a", "b", "c"}) store.apply(put(key));
  store.apply(kv::Delete{"c", kv::Always{}});
  for (int i = 0; i < 2; ++i) store.apply(kv::OpenSession{});
  store.apply(kv::Command(put("b"), kv::SessionWrite{kv::SessionId(1), 1}));
  return store;
}

// More than an answer may return, in few items and in many.
kv::Store large_store() {
  kv::Store store = small_store();
  for (int i = 0; i < 20; ++i) {
    const Bytes value = Bytes::copy_of(std::string(200'000, 'v'));
    store.apply(kv::Put{"a" + std::to_string(i), value, kv::Always{}});
  }
  for (int i = 0; i < 40'000; ++i) {
    store.apply(kv::Put{"b" + std::to_string(i), Bytes::copy_of("v"), kv::Always{}});
  }
  return store;
}

bool may_change(const kv::CommandResult& result) {
  return std::holds_alternative<kv::PutDone>(result) ||
         std::holds_alternative<kv::DeleteDone>(result) ||
         std::holds_alternative<kv::RangeDeleted>(result) ||
         std::holds_alternative<kv::TransactionDone>(result) ||
         std::holds_alternative<kv::SessionOpened>(result) ||
         std::holds_alternative<kv::SessionClosed>(result) ||
         std::holds_alternative<kv::SessionsExpired>(result) ||
         std::holds_alternative<kv::SettingsChanged>(result) ||
         std::holds_alternative<kv::DigestNoted>(result);
}

// What says that it changed nothing changes nothing, but for a failed condition in a session, whose
// answer is kept; and what changed nothing changes nothing the second time.
void apply_twice(const Bytes& command, kv::Store store) {
  const std::uint64_t before = store.digest();
  const kv::CommandResult first = store.apply(command);
  const std::uint64_t digest = store.digest();
  ANCHOR_ASSERT(digest == store.recomputed_digest());
  const bool changed = digest != before;
  ANCHOR_ASSERT(!changed || may_change(first) ||
                std::holds_alternative<kv::ConditionFailed>(first));
  store.apply(command);
  store.tree().check_invariants();
  ANCHOR_ASSERT(store.digest() == store.recomputed_digest());
  ANCHOR_ASSERT(changed || store.digest() == digest);
  ANCHOR_ASSERT(store.view({}).count() == store.tree().size());
}

void answer_is_bounded(const Bytes& command) {
  static const kv::Store large = large_store();
  kv::Store store = large;
  ANCHOR_ASSERT(kv::encode_result(store.apply(command)).size() <= kv::kAnswerBytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace kv = anchor::kv;
  const auto bytes = anchor::Bytes::copy_of(anchor::fuzz::as_view(data, size));
  anchor::fuzz::check_round_trip(bytes, kv::decode_command, kv::encode_command);
  anchor::fuzz::check_round_trip(bytes, kv::decode_result, kv::encode_result);

  apply_twice(bytes, kv::Store());
  apply_twice(bytes, small_store());
  answer_is_bounded(bytes);
  return 0;
}
