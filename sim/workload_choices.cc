#include <algorithm>
#include <string>
#include <utility>

#include "sim/workload.h"

// What clients ask for; how they ask is in workload.cc.
namespace anchor::sim {

Read Workload::choose_read(const Client& client, std::size_t number) {
  const auto draw = [&](std::uint64_t bound) {
    return choices_.below(bound, Stream::kClient, number);
  };
  Read read{.of = client.key};
  if (draw(40) == 0) return Read{.of = AllLeases()};
  if (draw(4) == 0) read.of = choose_range(client, number);
  if (draw(100) < mix_.lease_reads) {
    read.consistency = Consistency::kLease;
  } else if (draw(2) == 0) {
    read.consistency = Consistency::kStale;
    if (draw(2) == 0) {
      const std::uint64_t times = draw(3);
      read.max_staleness = Duration(times * draw(100'000));
    }
  }
  // What it has seen itself; now and then what nobody may have written yet.
  const auto seen = client.seen.find(client.key);
  if (seen != client.seen.end() && draw(3) == 0) {
    read.min_revision = kv::Revision(seen->second.value() + (draw(8) == 0 ? draw(50) : 0));
  }
  // The past, as long as it is told; and what is to come.
  if (draw(6) == 0) {
    const std::uint64_t ahead = draw(8) == 0 ? draw(50) : 0;
    const std::uint64_t back = draw(20);
    const std::uint64_t newest = client.newest.value() + ahead;
    read.at_revision = kv::Revision(std::max<std::uint64_t>(1, newest - std::min(newest, back)));
  }
  return read;
}

kv::KeyRange Workload::choose_range(const Client& client, std::size_t number) {
  const auto key = [&] {
    return "k" + std::to_string(choices_.below(mix_.keys, Stream::kClient, number));
  };
  switch (choices_.below(4, Stream::kClient, number)) {
    case 0:
      return kv::KeyRange::of_key(client.key);
    case 1:
      return kv::KeyRange::of_prefix(client.key);
    case 2:
      return kv::KeyRange::of_prefix("k");
    default:
      return {.start = client.key, .end = key()};
  }
}

// No two write the same value: so each can be told from every other.
Bytes Workload::choose_value(Client& client, std::size_t number) {
  std::string value = "c" + std::to_string(number) + "-" + std::to_string(++client.ordinal) + " ";
  value.resize(value.size() + choices_.below(mix_.value_bytes_most, Stream::kClient, number), '.');
  return Bytes::copy_of(value);
}

kv::Operation Workload::choose_operation(Client& client, std::size_t number) {
  const auto draw = [&](std::uint64_t bound) {
    return choices_.below(bound, Stream::kClient, number);
  };
  const std::uint64_t kind = draw(8);
  const bool flag = draw(2) == 0;
  if (kind < 4) {
    std::string key = "k" + std::to_string(draw(mix_.keys));
    const kv::LeaseId lease = draw(6) == 0 ? client.lease : kv::LeaseId();
    return kv::PutOperation{std::move(key), choose_value(client, number), flag, lease};
  }
  kv::KeyRange range = choose_range(client, number);
  if (kind == 4) return kv::DeleteOperation{std::move(range), flag};
  const std::uint64_t limit = draw(4);
  const bool reverse = draw(2) == 0;
  return kv::GetOperation{
      .range = std::move(range), .limit = limit, .keys_only = flag, .reverse = reverse};
}

kv::Transaction Workload::choose_transaction(Client& client, std::size_t number) {
  const auto draw = [&](std::uint64_t bound) {
    return choices_.below(bound, Stream::kClient, number);
  };
  kv::Transaction transaction;
  if (draw(4) != 0) {
    const auto seen = client.seen.find(client.key);
    kv::Compare compare{.key = client.key, .target = kv::CompareTarget::kModRevision};
    compare.with = seen == client.seen.end() ? 0 : seen->second.value();
    const std::uint64_t kind = draw(4);
    if (kind == 0) compare.compare = kv::CompareOperator::kGreater;
    if (kind == 1) compare = {.key = client.key, .target = kv::CompareTarget::kExists};
    transaction.compare.push_back(std::move(compare));
  }
  for (std::uint64_t count = 1 + draw(3); count > 0; --count) {
    transaction.success.push_back(choose_operation(client, number));
  }
  for (std::uint64_t count = draw(3); count > 0; --count) {
    transaction.failure.push_back(choose_operation(client, number));
  }
  return transaction;
}

// Small bounds and large ones.
kv::ChangeSettings Workload::choose_settings(std::size_t number) {
  const auto draw = [&](std::uint64_t bound) {
    return choices_.below(bound, Stream::kClient, number);
  };
  const bool small = draw(2) == 0;
  switch (draw(5)) {
    case 0:
      return {{{"history_revisions", small ? draw(30) : 100'000}}};
    case 1:
      return {{{"history_bytes", small ? draw(10'000) : 1 << 20}}};
    case 2:
      return {{{"session_ttl_ms", 1000 + draw(3000)}}};
    case 3:
      return {{{"quota_bytes", small ? 4096 + draw(4096) : 1 << 30}}};
    default:
      return {{{"session_count", small ? 1 + draw(4) : 1000}}};
  }
}

std::optional<ClientRequestBody> Workload::use_lease(Client& client, std::size_t number) {
  const auto draw = [&](std::uint64_t bound) {
    return choices_.below(bound, Stream::kClient, number);
  };
  const std::uint64_t kind = draw(40);
  if (client.lease == kv::LeaseId()) {
    if (kind > 2) return std::nullopt;
    return kv::Command(kv::GrantLease{std::chrono::seconds(1 + draw(3))});
  }
  // Then it ends by itself.
  if (kind == 0) client.lease = {};
  if (kind == 1) return kv::Command(kv::RevokeLease{client.lease});
  if (kind > 9) return std::nullopt;
  return kv::LeaseQuery{.id = client.lease, .keep_alive = kind > 3};
}

std::optional<ClientRequestBody> Workload::use_lock(Client& client, std::size_t number) {
  const auto draw = [&](std::uint64_t bound) {
    return choices_.below(bound, Stream::kClient, number);
  };
  const std::uint64_t kind = draw(50);
  if (client.locked.token == kv::Revision()) {
    if (kind > 1) return std::nullopt;
    client.lock = "m" + std::to_string(draw(2));
    const Duration ttl = std::chrono::seconds(1 + draw(3));
    return AcquireLock{client.lock, ttl, draw(5) * 700ms};
  }
  // Then it is until its lease ends.
  if (kind == 0) client.locked = {};
  if (kind == 1) return ReleaseLock{client.lock, client.locked.token};
  if (kind > 7) return std::nullopt;
  return kv::LeaseQuery{.id = client.locked.lease, .keep_alive = kind > 2};
}

// What a client does in its session, or to have one.
std::optional<kv::CommandBody> Workload::use_session(const Client& client, std::size_t number) {
  const auto draw = [&](std::uint64_t bound) {
    return choices_.below(bound, Stream::kClient, number);
  };
  const std::uint64_t kind = draw(20);
  if (client.session == kv::SessionId()) {
    if (kind < 3) return kv::OpenSession{};
    return std::nullopt;
  }
  if (kind == 0) return kv::CloseSession{client.session};
  return std::nullopt;
}

ClientRequestBody Workload::choose(Client& client, std::size_t number) {
  const auto draw = [&](std::uint64_t bound) {
    return choices_.below(bound, Stream::kClient, number);
  };
  client.key = "k" + std::to_string(draw(mix_.keys));
  client.in_session = false;
  if (draw(100) < mix_.reads) return choose_read(client, number);
  if (auto request = use_lease(client, number)) return *std::move(request);
  if (auto request = use_lock(client, number)) return *std::move(request);
  if (auto body = use_session(client, number)) return kv::Command(*std::move(body));
  if (draw(200) == 0) return kv::Command(choose_settings(number));
  // Some forget that they have one.
  if (draw(100) == 0) client.session = {};
  kv::Command command(choose_write(client, number));
  if (client.session != kv::SessionId() && client.sequence > 0 && draw(30) == 0) {
    // By mistake the last number once more, though with another write: it gets the first answer.
    command.session = kv::SessionWrite{client.session, client.sequence};
  } else if (client.session != kv::SessionId()) {
    client.in_session = true;
    command.session = kv::SessionWrite{client.session, client.sequence + 1};
  }
  return command;
}

kv::CommandBody Workload::choose_write(Client& client, std::size_t number) {
  const auto draw = [&](std::uint64_t bound) {
    return choices_.below(bound, Stream::kClient, number);
  };
  const std::uint64_t kind = draw(20);
  if (kind == 0) return kv::DeleteRange{choose_range(client, number)};
  if (kind < 5) return choose_transaction(client, number);

  const auto seen = client.seen.find(client.key);
  kv::Condition condition = kv::Always{};
  const std::uint64_t condition_kind = draw(10);
  if (condition_kind == 0) {
    condition = kv::IfAbsent{};
  } else if (condition_kind == 1) {
    condition = kv::IfPresent{};
  } else if (condition_kind <= 4 && seen != client.seen.end() && seen->second != kv::Revision()) {
    condition = kv::IfModRevision{seen->second};
  }
  const bool want_previous = draw(4) == 0;
  if (draw(5) == 0) return kv::Delete{client.key, condition, want_previous};
  kv::Put put{client.key, choose_value(client, number), condition, want_previous};
  const std::uint64_t leased = draw(6);
  if (leased == 0) put.lease = client.lease;
  if (leased == 1) put.ttl = std::chrono::seconds(1 + draw(3));
  return put;
}

}  // namespace anchor::sim
