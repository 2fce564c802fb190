#include "sim/workload.h"

#include <algorithm>
#include <string>
#include <utility>

#include "core/base/assert.h"
#include "sim/session_checks.h"

namespace anchor::sim {
namespace {

// The revision of the key that an answer tells, if it does.
std::optional<kv::Revision> seen_revision(const Outcome& outcome) {
  if (const auto* read = std::get_if<ReadDone>(&outcome)) {
    return read->item ? read->item->mod_revision() : kv::Revision();
  }
  const auto* applied = std::get_if<WriteApplied>(&outcome);
  if (applied == nullptr) return std::nullopt;
  if (const auto* put = std::get_if<kv::PutDone>(&applied->result)) return put->revision;
  if (std::holds_alternative<kv::DeleteDone>(applied->result)) return kv::Revision();
  if (const auto* failed = std::get_if<kv::ConditionFailed>(&applied->result)) {
    return failed->mod_revision;
  }
  return std::nullopt;
}

// The store's, if the answer tells it; else zero.
kv::Revision store_revision(const Outcome& outcome) {
  if (const auto* read = std::get_if<ReadDone>(&outcome)) return read->revision;
  if (const auto* range = std::get_if<RangeRead>(&outcome)) return range->revision;
  const auto* applied = std::get_if<WriteApplied>(&outcome);
  if (applied == nullptr) return {};
  if (const auto* put = std::get_if<kv::PutDone>(&applied->result)) return put->revision;
  const auto* done = std::get_if<kv::TransactionDone>(&applied->result);
  return done == nullptr ? kv::Revision() : done->revision;
}

bool served(const Outcome* outcome) {
  return outcome != nullptr && !std::holds_alternative<NotApplied>(*outcome) &&
         !std::holds_alternative<OutcomeUnknown>(*outcome);
}

// It may have been at the leader, or on the way there, when time was up.
bool may_have_waited_for_leader(const Outcome* outcome) {
  if (outcome == nullptr) return false;
  const auto* refused = std::get_if<NotApplied>(outcome);
  return refused == nullptr || refused->reason == Refusal::kOverloaded;
}

}  // namespace

Workload::Workload(const Mix& mix, Cluster& cluster, Choices& choices)
    : mix_(mix), cluster_(cluster), choices_(choices), clients_(mix.clients) {
  cluster.on_answer(
      [this](OperationId operation, const Outcome* outcome) { answered(operation, outcome); });
}

void Workload::start() {
  for (std::size_t number = 0; number < clients_.size(); ++number) later(number);
}

bool Workload::idle() const {
  return std::ranges::none_of(clients_,
                              [](const Client& client) { return client.waiting.has_value(); });
}

void Workload::crowd(std::size_t node, std::uint64_t writes) {
  for (; writes > 0; --writes) {
    std::string key = "k" + std::to_string(choices_.below(mix_.keys, Stream::kFault));
    const std::string value = "crowd-" + std::to_string(++crowd_ordinal_);
    cluster_.submit(node, kv::Command(kv::Put{std::move(key), Bytes::copy_of(value), {}}));
  }
}

void Workload::demand(const std::vector<bool>& nodes) {
  for (std::size_t node = 0; node < nodes.size(); ++node) {
    if (nodes[node]) demanded_of_.push_back(node);
  }
  for (std::size_t number = 0; number < clients_.size(); ++number) {
    if (clients_[number].waiting) give_up(number, *clients_[number].waiting);
  }
}

void Workload::later(std::size_t number) {
  const Duration think = choices_.between(0us, mix_.think_most, Stream::kClient, number);
  cluster_.after(think, [this, number] { next(number); });
}

void Workload::next(std::size_t number) {
  if (stopped_ || clients_[number].waiting) return;
  Client& client = clients_[number];
  const bool demanding = !demanded_of_.empty();
  const std::uint64_t choice =
      choices_.below(demanding ? demanded_of_.size() : cluster_.size(), Stream::kClient, number);
  const std::size_t node = demanding ? demanded_of_[choice] : choice;
  if (!cluster_.node(node).up()) return later(number);
  auto request = client.again ? *std::exchange(client.again, std::nullopt) : choose(client, number);
  const Duration patience = choices_.between(200ms, 8s, Stream::kClient, number);
  send(number, node, std::move(request));
  if (demanding) return;
  cluster_.after(patience, [=, this, operation = *client.waiting] { give_up(number, operation); });
}

void Workload::send(std::size_t number, std::size_t node, std::variant<kv::Command, Read> request) {
  Client& client = clients_[number];
  client.writes = std::holds_alternative<kv::Command>(request);
  client.asked = cluster_.now();
  client.demanding = !demanded_of_.empty();
  demanded_ += client.demanding ? 1 : 0;
  const OperationId operation = cluster_.submit(node, std::move(request));
  client.waiting = operation;
  owners_.emplace(operation, number);
}

void Workload::demand_write(std::size_t node) {
  ANCHOR_ASSERT(stopped_ && idle() && !demanded_of_.empty());
  Client& client = clients_.front();
  client.in_session = false;
  client.key = "k0";
  send(0, node, kv::Command(kv::Put{client.key, choose_value(client, 0), kv::Always{}}));
}

void Workload::give_up(std::size_t number, OperationId operation) {
  Client& client = clients_[number];
  if (client.waiting != operation) return;
  client.waiting.reset();
  consider_retry(number, operation, false);
  later(number);
}

void Workload::consider_retry(std::size_t number, OperationId operation, bool certain) {
  const bool chance = choices_.below(4, Stream::kClient, number) < (certain ? 3U : 1U);
  const bool retry = chance || clients_[number].in_session;
  if (retry) clients_[number].again = cluster_.history().request(operation);
}

void Workload::answered(OperationId operation, const Outcome* outcome) {
  const auto owner = owners_.extract(operation);
  if (owner.empty()) return;
  const std::size_t number = owner.mapped();
  Client& client = clients_[number];
  if (client.waiting != operation) return;
  client.waiting.reset();
  const bool answer = served(outcome);
  if (answer) learn(client, *outcome);
  if (client.demanding && !answer) {
    const bool slowed = client.writes && may_have_waited_for_leader(outcome) &&
                        cluster_.writes_slowed() >= client.asked;
    ++(slowed ? slowed_ : unserved_);
  }
  if (!answer) {
    consider_retry(number, operation,
                   outcome != nullptr && std::holds_alternative<NotApplied>(*outcome));
  }
  later(number);
}

void Workload::learn(Client& client, const Outcome& outcome) {
  if (const auto seen = seen_revision(outcome)) client.seen[client.key] = *seen;
  client.newest = std::max(client.newest, store_revision(outcome));
  if (const auto* applied = std::get_if<WriteApplied>(&outcome)) learn(client, applied->result);
}

void Workload::learn(Client& client, const kv::CommandResult& result) {
  if (const auto* opened = std::get_if<kv::SessionOpened>(&result)) {
    client.session = opened->id;
    client.sequence = 0;
  } else if (client.in_session) {
    const bool done = uses_sequence(result);
    if (done) ++client.sequence;
    if (!done && !std::holds_alternative<kv::OverQuota>(result)) client.session = {};
  } else if (std::holds_alternative<kv::SessionClosed>(result)) {
    client.session = {};
  }
}

Read Workload::choose_read(const Client& client, std::size_t number) {
  const auto draw = [&](std::uint64_t bound) {
    return choices_.below(bound, Stream::kClient, number);
  };
  Read read{.of = client.key};
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
    return kv::PutOperation{std::move(key), choose_value(client, number), flag};
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

std::variant<kv::Command, Read> Workload::choose(Client& client, std::size_t number) {
  const auto draw = [&](std::uint64_t bound) {
    return choices_.below(bound, Stream::kClient, number);
  };
  client.key = "k" + std::to_string(draw(mix_.keys));
  client.in_session = false;
  if (draw(100) < mix_.reads) return choose_read(client, number);
  if (auto body = use_session(client, number)) return kv::Command(*std::move(body));
  if (draw(200) == 0) return kv::Command(choose_settings(number));
  // Some forget that they have one.
  if (draw(100) == 0) client.session = {};
  kv::Command command(choose_write(client, number));
  if (client.session != kv::SessionId()) {
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
  return kv::Put{client.key, choose_value(client, number), condition, want_previous};
}

}  // namespace anchor::sim
