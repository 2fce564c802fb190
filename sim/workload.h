#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/replica.h"
#include "sim/choices.h"
#include "sim/cluster.h"
#include "sim/profile.h"

namespace anchor::sim {

// Clients, each with one request in flight: puts, creations, compare-and-swaps, deletes,
// transactions, and reads (linearizable, by lease, stale, of the past) of a few keys and ranges of
// them, sent to any node; leases that are granted, given to keys, kept alive or left to end; locks;
// and changes of the settings. A refused one is mostly tried again, often elsewhere; one whose
// outcome is unknown sometimes, though it may then take effect twice: so do impatient clients.
// Those that have a session open try until they know.
class Workload {
 public:
  Workload(const Mix& mix, Cluster& cluster, Choices& choices);

  void start();
  // No new requests.
  void stop() { stopped_ = true; }
  bool idle() const;
  // So many others write to a node at once, and do not come again. Requires: it is up.
  void crowd(std::size_t node, std::uint64_t writes);

  // From now on requests go to these nodes only, and all of them must be served: a request that is
  // not is counted. So is, apart, a write for which it took too long, or that was refused, while
  // the leader slowed writes down.
  void demand(const std::vector<bool>& nodes);
  std::uint64_t unserved() const { return unserved_; }
  std::uint64_t slowed() const { return slowed_; }
  std::uint64_t demanded() const { return demanded_; }
  // One write more, of which the same is demanded. Requires: stopped, and idle.
  void demand_write(std::size_t node);

 private:
  struct Client {
    std::uint64_t ordinal = 0;
    // The request in flight, if any; another one's answer comes too late.
    std::optional<OperationId> waiting{};
    std::size_t node = 0;  // that it went to
    Instant asked{};
    bool demanding = false;
    bool writes = false;
    // What the next try is for; none: something new.
    std::optional<ClientRequestBody> again{};
    // What it last saw of a key.
    std::map<std::string, kv::Revision> seen{};
    std::string key{};
    // Of the store, the highest that it has seen.
    kv::Revision newest{1};
    // Zero: it has none open. The number is the last one that was answered.
    kv::SessionId session{};
    std::uint64_t sequence = 0;
    bool in_session = false;  // the request in flight is its next write
    kv::LeaseId lease{};      // zero: it has none
    std::string lock{};       // that it has, or asks for
    LockAcquired locked{};    // token zero: it has none
  };

  void next(std::size_t number);
  void send(std::size_t number, std::size_t node, ClientRequestBody request);
  void later(std::size_t number);
  void give_up(std::size_t number, OperationId operation);
  void answered(OperationId operation, const Outcome* outcome);
  void consider_retry(std::size_t number, OperationId operation, bool certain);
  ClientRequestBody choose(Client& client, std::size_t number);
  kv::CommandBody choose_write(Client& client, std::size_t number);
  Read choose_read(const Client& client, std::size_t number);
  kv::KeyRange choose_range(const Client& client, std::size_t number);
  kv::Operation choose_operation(Client& client, std::size_t number);
  kv::Transaction choose_transaction(Client& client, std::size_t number);
  kv::ChangeSettings choose_settings(std::size_t number);
  Bytes choose_value(Client& client, std::size_t number);
  std::optional<ClientRequestBody> use_lease(Client& client, std::size_t number);
  std::optional<ClientRequestBody> use_lock(Client& client, std::size_t number);
  std::optional<kv::CommandBody> use_session(const Client& client, std::size_t number);
  void learn(Client& client, const Outcome& outcome);
  void learn(Client& client, const kv::CommandResult& result);

  const Mix& mix_;
  Cluster& cluster_;
  Choices& choices_;
  std::vector<Client> clients_;
  // Whose each is; a crowd's are nobody's.
  std::map<OperationId, std::size_t> owners_;
  std::uint64_t crowd_ordinal_ = 0;
  // Empty: no demands are made.
  std::vector<std::size_t> demanded_of_;
  bool stopped_ = false;
  std::uint64_t demanded_ = 0;
  std::uint64_t unserved_ = 0;
  std::uint64_t slowed_ = 0;
};

}  // namespace anchor::sim
