#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/kv/command.h"
#include "core/raft/types.h"

namespace anchor::sim {

// What the store is held against: the data model written down a second time, as plainly as it can
// be, with every state that it ever had.
class Model {
 public:
  struct KeyValue {
    Bytes value;
    kv::Revision create_revision;
    kv::Revision mod_revision;
    std::uint64_t version = 0;
    kv::LeaseId lease{};
  };
  using KeyValues = std::vector<std::pair<std::string, KeyValue>>;

  // The answer that a command, committed at the next index in an entry of that term, must have.
  // `command` may be anything; null: the entry is no command.
  kv::CommandResult apply(const Bytes* command, raft::Term term);

  // The state after the entry at `index` was applied.
  std::optional<KeyValue> find(const std::string& key, raft::Index index) const;
  KeyValues range(const kv::KeyRange& range, raft::Index index) const;
  kv::Revision revision(raft::Index index) const { return states_[index.value()].revision; }
  // As of the last entry.
  bool has_lease(kv::LeaseId id) const { return leases_.contains(id); }
  std::vector<kv::LeaseId> leases() const;
  // The oldest revision that can be read.
  kv::Revision compacted(raft::Index index) const { return states_[index.value()].compacted; }
  // The keys that the revision set or deleted, in that order. Requires: it is there.
  const std::vector<std::string>& changed_at(kv::Revision revision) const {
    return changed_keys_[revision.value()];
  }
  // The first index at which the store had come to the revision. Requires: it has.
  raft::Index index_of(kv::Revision revision) const;

 private:
  struct Version {
    raft::Index index;
    std::optional<KeyValue> state;
  };
  struct State {
    kv::Revision revision{1};
    kv::Revision compacted{1};
  };
  struct Lease {
    Duration ttl{};
    bool of_key = false;
  };
  struct Session {
    std::uint64_t last_sequence = 0;
    std::optional<kv::CommandResult> answer{};
    std::uint64_t answer_bytes = 0;
  };
  struct Growth {
    std::uint64_t before = 0;
    std::uint64_t after = 0;
  };
  // Of a revision that is not compacted.
  struct Changed {
    kv::Revision revision;
    std::uint64_t bytes = 0;
  };

  raft::Index now() const { return raft::Index(states_.size() - 1); }
  std::optional<KeyValue> find(const std::string& key) const { return find(key, now()); }
  kv::ItemRef item(const std::string& key) const;

  kv::CommandResult run(const kv::CommandBody& body);
  kv::CommandResult run_in_session(const kv::SessionWrite& write, const kv::CommandBody& body);
  // As the store counts, without what the session has kept.
  Growth growth_in_session(const kv::CommandBody& body) const;
  // Of the values that are wanted as they were before.
  std::uint64_t previous_bytes(const std::vector<kv::Operation>& operations) const;
  std::uint64_t most_of_get(const kv::GetOperation& get,
                            const std::vector<kv::Operation>& operations) const;
  kv::CommandResult put(const kv::Put& put);
  kv::CommandResult erase(const kv::Delete& erase);
  kv::CommandResult transact(const kv::Transaction& transaction);
  // `room` is what the transaction may still return.
  kv::OperationResult operate(const kv::Operation& operation, std::uint64_t& room);
  kv::CommandResult expire(const kv::ExpireSessions& expire);
  kv::CommandResult grant(const kv::GrantLease& grant);
  kv::CommandResult revoke(const kv::RevokeLease& revoke);
  kv::CommandResult expire(const kv::ExpireLeases& expire);
  // How many keys went with it.
  std::uint64_t end_lease(kv::LeaseId id);
  bool takes_keys(kv::LeaseId id) const;
  static bool meets(const kv::Condition& condition, const std::optional<KeyValue>& state);
  bool holds(const kv::Compare& compare) const;

  // Sets or deletes the key at the revision that begins.
  void write(const std::string& key, const std::optional<Bytes>& value, kv::LeaseId lease = {});
  std::uint64_t erase_range(const kv::KeyRange& range);
  kv::Revision finish();
  void compact();
  static std::uint64_t stored_bytes(std::size_t key, std::size_t value);
  static std::uint64_t stored_bytes(const kv::ItemRef& item);
  // Of a key that goes with a lease, or of what is there of it.
  static std::uint64_t stored_bytes(std::size_t key, std::size_t value, bool leased);
  static std::uint64_t lease_bytes();
  static std::uint64_t written_bytes(std::size_t key, std::size_t value);
  std::uint64_t size_bytes() const;
  bool has_room(std::uint64_t before, std::uint64_t after) const;

  std::map<std::string, std::vector<Version>> keys_;
  // By index; the first is the empty store's.
  std::vector<State> states_{State()};
  std::vector<Changed> history_;
  std::map<kv::LeaseId, Lease> leases_;
  kv::LeaseId next_lease_{1};
  std::map<kv::SessionId, Session> sessions_;
  kv::SessionId next_session_{1};
  kv::Settings settings_;
  std::uint64_t digest_check_ = 0;  // the number of the last one
  // In the revision that begins.
  std::uint64_t changed_bytes_ = 0;
  std::vector<std::string> changing_keys_;
  // By revision; the empty store's is the first.
  std::vector<std::vector<std::string>> changed_keys_{{}, {}};
};

// Whether the store's item is what the model holds.
bool same(const kv::ItemRef& item, const std::optional<Model::KeyValue>& expected);

}  // namespace anchor::sim
