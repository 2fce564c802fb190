#include "core/kv/lease_query.h"

#include "core/wire/flat_message.h"
#include "proto/command.capnp.h"

namespace anchor::kv {
namespace {

std::uint64_t to_us(Duration duration) {
  return static_cast<std::uint64_t>(duration.count());
}

Duration from_us(std::uint64_t microseconds) {
  return Duration(static_cast<Duration::rep>(microseconds));
}

Result<LeaseAnswer> read_answer(proto::LeaseAnswer::Reader from) {
  switch (from.which()) {
    case proto::LeaseAnswer::UNKNOWN:
      return LeaseAnswer();
    case proto::LeaseAnswer::STATUS: {
      const auto status = from.getStatus();
      LeaseStatus lease{.ttl = from_us(status.getTtlUs()),
                        .remaining = from_us(status.getRemainingUs())};
      for (const auto& key : status.getKeys()) {
        lease.keys.emplace_back(anchor::as_text(wire::as_view(key)));
      }
      lease.more_keys = status.getMoreKeys();
      return LeaseAnswer(std::move(lease));
    }
  }
  return failure("a lease is answered of in a way that this version does not know");
}

}  // namespace

Bytes encode_lease_query(const LeaseQuery& query) {
  constexpr std::size_t kFixed = 48;
  wire::FlatBuilder builder(0, kFixed);
  auto to = builder.init_root<proto::LeaseQuery>();
  to.setLease(query.id.value());
  to.setKeepAlive(query.keep_alive);
  return builder.finish();
}

Result<LeaseQuery> decode_lease_query(const Bytes& bytes) {
  return wire::read_flat<proto::LeaseQuery>(
      bytes, [](proto::LeaseQuery::Reader from, const Bytes&) -> Result<LeaseQuery> {
        return LeaseQuery{LeaseId(from.getLease()), from.getKeepAlive()};
      });
}

Bytes encode_lease_answer(const LeaseAnswer& answer) {
  std::size_t size = 96;
  if (answer) {
    for (const std::string& key : answer->keys) size += 16 + key.size();
  }
  wire::FlatBuilder builder(0, size);
  auto to = builder.init_root<proto::LeaseAnswer>();
  if (!answer) {
    to.setUnknown();
    return builder.finish();
  }
  auto status = to.initStatus();
  status.setTtlUs(to_us(answer->ttl));
  status.setRemainingUs(to_us(answer->remaining));
  auto keys = status.initKeys(static_cast<unsigned>(answer->keys.size()));
  for (unsigned i = 0; i < keys.size(); ++i) keys.set(i, wire::as_data(answer->keys[i]));
  status.setMoreKeys(answer->more_keys);
  return builder.finish();
}

Result<LeaseAnswer> decode_lease_answer(const Bytes& bytes) {
  return wire::read_flat<proto::LeaseAnswer>(
      bytes, [](proto::LeaseAnswer::Reader from, const Bytes&) { return read_answer(from); });
}

}  // namespace anchor::kv
