#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/base/time.h"
#include "core/kv/types.h"

namespace anchor::kv {

// What only the leader knows of a lease, since its clock is the one that counts: nothing of it is
// in the log.
struct LeaseQuery {
  LeaseId id;
  // All of its time begins anew.
  bool keep_alive = false;

  friend bool operator==(const LeaseQuery&, const LeaseQuery&) = default;
};

struct LeaseStatus {
  Duration ttl{};
  // Until it may end.
  Duration remaining{};
  // That go with it, in their order; if there are many, only the first.
  std::vector<std::string> keys{};
  bool more_keys = false;

  friend bool operator==(const LeaseStatus&, const LeaseStatus&) = default;
};

// None: there is no such lease, or none any more.
using LeaseAnswer = std::optional<LeaseStatus>;

// Cap'n Proto (proto/command.capnp). Decoding trusts nothing; errors say what is wrong.
Bytes encode_lease_query(const LeaseQuery& query);
Result<LeaseQuery> decode_lease_query(const Bytes& bytes);
Bytes encode_lease_answer(const LeaseAnswer& answer);
Result<LeaseAnswer> decode_lease_answer(const Bytes& bytes);

}  // namespace anchor::kv
