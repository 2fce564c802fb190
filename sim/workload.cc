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

void Workload::send(std::size_t number, std::size_t node, ClientRequestBody request) {
  Client& client = clients_[number];
  client.writes =
      !std::holds_alternative<Read>(request) && !std::holds_alternative<kv::LeaseQuery>(request);
  client.node = node;
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
  const bool locks = std::holds_alternative<AcquireLock>(cluster_.history().request(operation));
  if (locks && choices_.below(2, Stream::kClient, number) == 0) {
    cluster_.abandon(client.node, operation);
  }
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
  if (const auto* told = std::get_if<LeaseTold>(&outcome); told && !told->answer) {
    client.lease = {};
    client.locked = {};
  }
  const auto* answer = std::get_if<LockAnswer>(&outcome);
  if (answer == nullptr) return;
  const auto* lock = std::get_if<LockAcquired>(answer);
  client.locked = lock == nullptr ? LockAcquired() : *lock;
}

void Workload::learn(Client& client, const kv::CommandResult& result) {
  if (std::holds_alternative<kv::LeaseUnknown>(result) ||
      std::holds_alternative<kv::LeaseRevoked>(result)) {
    client.lease = {};
  }
  if (const auto* granted = std::get_if<kv::LeaseGranted>(&result)) client.lease = granted->id;
  if (const auto* opened = std::get_if<kv::SessionOpened>(&result)) {
    client.session = opened->id;
    client.sequence = 0;
  } else if (client.in_session) {
    const bool done = uses_sequence(result);
    if (done) ++client.sequence;
    const bool refused = std::holds_alternative<kv::OverQuota>(result) ||
                         std::holds_alternative<kv::LeaseUnknown>(result) ||
                         std::holds_alternative<kv::LeasesFull>(result);
    if (!done && !refused) client.session = {};
  } else if (std::holds_alternative<kv::SessionClosed>(result)) {
    client.session = {};
  }
}

}  // namespace anchor::sim
