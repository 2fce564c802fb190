#pragma once

#include <cstdint>
#include <optional>

#include "core/base/bytes.h"
#include "core/base/time.h"
#include "core/kv/item.h"
#include "core/kv/tree.h"
#include "core/kv/types.h"

namespace anchor::kv {

// What a client has open in order to repeat a write without its taking effect twice (dissertation
// 6.3): the number of its last write, and the answer that this had.
struct Session {
  SessionId id;
  Duration ttl{};
  std::uint64_t last_sequence = 0;  // zero: none yet
  // The encoded answer (command.h), which lives as long as the session table is not changed.
  ByteView answer{};
};

// The open sessions. Replicated; a copy shares all of it. Each is an item of a tree, so that it is
// copied, hashed and stored as keys are.
class Sessions {
 public:
  std::size_t size() const { return tree_.size(); }
  std::uint64_t size_bytes() const { return size_bytes_; }
  // The id that the next one gets. Lower ones that are not open have ended.
  SessionId next_id() const { return next_id_; }

  SessionId open(Duration ttl);
  // None: it is not open.
  std::optional<Session> find(SessionId id) const;
  // Requires: it is open.
  void record(SessionId id, std::uint64_t sequence, ByteView answer);
  // False: it was not open.
  bool close(SessionId id);

  // In the order of their ids, as snapshots hold them.
  const Tree& tree() const { return tree_; }
  static std::optional<Session> session_of(const Item& item);
  // From a snapshot. False: no table could hold it.
  bool restore(ItemRef item);
  void restore_next_id(SessionId next) { next_id_ = next; }

  std::uint64_t digest() const;
  std::uint64_t recomputed_digest() const;

 private:
  void put(const Session& session);

  Tree tree_;
  SessionId next_id_{1};
  std::uint64_t hashes_ = 0;  // the sum over the items
  std::uint64_t size_bytes_ = 0;
};

}  // namespace anchor::kv
