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

// Clients, each with one request in flight: puts, creations, compare-and-swaps, deletes and reads
// (linearizable, by lease, stale) of a few keys, sent to any node. A refused one is mostly tried
// again, often elsewhere; one whose outcome is unknown sometimes, though it may then take effect
// twice: so do impatient clients.
class Workload {
 public:
  Workload(const Mix& mix, Cluster& cluster, Choices& choices);

  void start();
  // No new requests.
  void stop() { stopped_ = true; }
  bool idle() const;

  // From now on requests go to these nodes only, and all of them must be served: a request that is
  // not is counted.
  void demand(const std::vector<bool>& nodes);
  std::uint64_t unserved() const { return unserved_; }
  std::uint64_t demanded() const { return demanded_; }

 private:
  struct Client {
    std::uint64_t ordinal = 0;
    // The request in flight, if any; another one's answer comes too late.
    std::optional<OperationId> waiting{};
    bool demanding = false;
    // What the next try is for; none: something new.
    std::optional<std::variant<kv::Command, ReadKey>> again{};
    // What it last saw of a key.
    std::map<std::string, kv::Revision> seen{};
    std::string key{};
  };

  void next(std::size_t number);
  void later(std::size_t number);
  void give_up(std::size_t number, OperationId operation);
  void answered(OperationId operation, const Outcome* outcome);
  void consider_retry(std::size_t number, OperationId operation, bool certain);
  std::variant<kv::Command, ReadKey> choose(Client& client, std::size_t number);
  ReadKey choose_read(const Client& client, std::size_t number);

  const Mix& mix_;
  Cluster& cluster_;
  Choices& choices_;
  std::vector<Client> clients_;
  std::map<OperationId, std::size_t> owners_;
  // Empty: no demands are made.
  std::vector<std::size_t> demanded_of_;
  bool stopped_ = false;
  std::uint64_t demanded_ = 0;
  std::uint64_t unserved_ = 0;
};

}  // namespace anchor::sim
