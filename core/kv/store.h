#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/kv/command.h"
#include "core/kv/history.h"
#include "core/kv/item.h"
#include "core/kv/key_range.h"
#include "core/kv/leases.h"
#include "core/kv/limits.h"
#include "core/kv/range_view.h"
#include "core/kv/sessions.h"
#include "core/kv/settings.h"
#include "core/kv/tree.h"
#include "core/kv/types.h"

namespace anchor::kv {

// A past state that cannot be told any more.
struct Compacted {
  Revision oldest;  // the first that can
};

// A point of the log, and the state's digest there.
struct DigestCheck {
  std::uint64_t number = 0;  // zero: none yet
  std::uint64_t digest = 0;

  friend bool operator==(const DigestCheck&, const DigestCheck&) = default;
};

// The replicated state: keys with etcd's revisions, over the tree; their history; leases; sessions;
// and the settings. Apply is total and deterministic; everything that it consults is in here.
class Store {
 public:
  // A log entry's command; bytes that are none have an answer too, and change nothing.
  CommandResult apply(const Bytes& command);
  CommandResult apply(const Command& command);

  // Null: no such key.
  ItemRef find(std::string_view key) const;
  // The same, as it was. Requires of both: at <= revision().
  std::expected<ItemRef, Compacted> find(std::string_view key, Revision at) const;
  std::expected<RangeView, Compacted> view(KeyRange range, Revision at) const;
  RangeView view(KeyRange range) const { return {tree_, std::move(range), revision_}; }

  Revision revision() const { return revision_; }
  const Tree& tree() const { return tree_; }
  const History& history() const { return history_; }
  const Leases& leases() const { return leases_; }
  const Sessions& sessions() const { return sessions_; }
  const Settings& settings() const { return settings_; }
  // What the quota bounds: keys, values, leases and sessions, with what each takes up beside its
  // bytes.
  std::uint64_t size_bytes() const {
    return item_bytes_ + leases_.size_bytes() + sessions_.size_bytes();
  }
  // About what a snapshot of it takes up.
  std::uint64_t snapshot_bytes() const {
    constexpr std::uint64_t kBeside = 128;  // what the history counts of a change
    return size_bytes() + history_.size_bytes() + kBeside * history_.size();
  }

  // What was noted last, to be held against what others have noted (core/digest_agreement.h).
  const DigestCheck& digest_check() const { return digest_check_; }

  // Of the whole state, kept up to date by each write in O(change): two stores with the same
  // digest hold the same, but for chance or malice.
  std::uint64_t digest() const;
  // The same, from what is there: what the kept one is held against.
  std::uint64_t recomputed_digest() const;

  class Restorer;

 private:
  // Changes that take place at one revision.
  class Writing;

  CommandResult run(const CommandBody& body);
  CommandResult run_in_session(const SessionWrite& write, const CommandBody& body);
  CommandResult put(const Put& command);
  CommandResult erase(const Delete& command);
  CommandResult erase_range(const DeleteRange& command);
  CommandResult transact(const Transaction& transaction);
  CommandResult grant_lease(const GrantLease& command);
  CommandResult revoke_lease(const RevokeLease& command);
  CommandResult expire_leases(const ExpireLeases& command);
  // How many keys went with it.
  std::uint64_t end_lease(Writing& writing, LeaseId id);
  // A lease that keys may be given to.
  bool takes_keys(LeaseId id) const;
  CommandResult open_session();
  CommandResult close_session(const CloseSession& command);
  CommandResult expire_sessions(const ExpireSessions& command);
  CommandResult change_settings(const ChangeSettings& command);
  CommandResult check_digest(const CheckDigest& command);
  CommandResult judge_digest(const JudgeDigest& command) const;

  // What is there before a write in the place of what is there after it, in bytes.
  struct Growth {
    std::uint64_t before = 0;
    std::uint64_t after = 0;
  };
  // Whether so much more may be stored.
  bool has_room(const Growth& growth) const;
  Growth growth_of(const Put& put) const;
  Growth growth_of(const PutOperation& put) const;
  Growth growth_of(const std::vector<Operation>& puts) const;
  // With its answer, which the session keeps, but for what a few bytes are enough for.
  Growth growth_in_session(const CommandBody& body) const;
  Growth growth_in_session(const Transaction& transaction) const;

  Revision revision_{1};
  Tree tree_;
  // The sum of the items' hashes, whose order does not matter, and of what they take up.
  std::uint64_t item_hashes_ = 0;
  std::uint64_t item_bytes_ = 0;
  History history_{Revision(1)};
  Leases leases_;
  Sessions sessions_;
  Settings settings_;
  DigestCheck digest_check_;
};

// Builds the store anew that a snapshot holds: its items, its changes, its leases, its sessions,
// each in order. An error, which is final, says that no store could hold what is added, or not
// after what was.
class Store::Restorer {
 public:
  struct Begin {
    Revision revision;
    Revision compacted;
    LeaseId next_lease;
    SessionId next_session;
    Settings settings;
    DigestCheck digest_check{};
  };
  explicit Restorer(const Begin& begin);

  // Requires of each: no null but where a change may hold one.
  Result<void> add(ItemRef item);
  Result<void> add(Change change);
  Result<void> add_lease(ItemRef lease);
  Result<void> add_session(ItemRef session);

  // With the digest of what was added. Call once.
  Result<Store> finish();

 private:
  Store store_;
  ItemRef last_;
  // By key: the newest of what changes left, which the next one found, and need not hold twice.
  std::map<std::string_view, ItemRef> left_;
};

}  // namespace anchor::kv
