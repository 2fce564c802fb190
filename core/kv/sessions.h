#pragma once

#include <cstdint>
#include <optional>

#include "core/base/bytes.h"
#include "core/base/time.h"
#include "core/kv/item.h"
#include "core/kv/numbered_table.h"
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

// The open sessions.
class Sessions {
 public:
  const NumberedTable& table() const { return table_; }
  std::size_t size() const { return table_.size(); }
  std::uint64_t size_bytes() const { return table_.size_bytes(); }
  // The id that the next one gets. Lower ones that are not open have ended.
  SessionId next_id() const { return SessionId(table_.next()); }

  SessionId open(Duration ttl);
  // None: it is not open.
  std::optional<Session> find(SessionId id) const;
  // Requires: it is open.
  void record(SessionId id, std::uint64_t sequence, ByteView answer);
  // False: it was not open.
  bool close(SessionId id) { return table_.erase(id.value()); }

  static std::optional<Session> session_of(const Item& item);
  // From a snapshot. False: no table could hold it.
  bool restore(ItemRef item);
  void restore_next_id(SessionId next) { table_.restore_next(next.value()); }

 private:
  NumberedTable table_;
};

}  // namespace anchor::kv
