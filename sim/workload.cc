#include "sim/workload.h"

#include <algorithm>
#include <string>
#include <utility>

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
  const OperationId operation = cluster_.submit(node, std::move(request));
  client.waiting = operation;
  client.demanding = demanding;
  demanded_ += demanding ? 1 : 0;
  owners_.emplace(operation, number);
  if (!demanding) cluster_.after(patience, [=, this] { give_up(number, operation); });
}

void Workload::give_up(std::size_t number, OperationId operation) {
  Client& client = clients_[number];
  if (client.waiting != operation) return;
  client.waiting.reset();
  consider_retry(number, operation, false);
  later(number);
}

void Workload::consider_retry(std::size_t number, OperationId operation, bool certain) {
  const bool retry = choices_.below(4, Stream::kClient, number) < (certain ? 3U : 1U);
  if (retry) clients_[number].again = cluster_.history().request(operation);
}

void Workload::answered(OperationId operation, const Outcome* outcome) {
  const auto owner = owners_.extract(operation);
  const std::size_t number = owner.mapped();
  Client& client = clients_[number];
  if (client.waiting != operation) return;
  client.waiting.reset();
  const auto seen = outcome == nullptr ? std::nullopt : seen_revision(*outcome);
  if (seen) client.seen[client.key] = *seen;
  const bool served =
      seen || (outcome != nullptr && std::holds_alternative<RevisionInFuture>(*outcome));
  if (client.demanding && !served) ++unserved_;
  if (!served) {
    consider_retry(number, operation,
                   outcome != nullptr && std::holds_alternative<NotApplied>(*outcome));
  }
  later(number);
}

ReadKey Workload::choose_read(const Client& client, std::size_t number) {
  const auto draw = [&](std::uint64_t bound) {
    return choices_.below(bound, Stream::kClient, number);
  };
  ReadKey read{.key = client.key};
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
  return read;
}

std::variant<kv::Command, ReadKey> Workload::choose(Client& client, std::size_t number) {
  const auto draw = [&](std::uint64_t bound) {
    return choices_.below(bound, Stream::kClient, number);
  };
  client.key = "k" + std::to_string(draw(mix_.keys));
  if (draw(100) < mix_.reads) return choose_read(client, number);

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

  // No two puts write the same value: so each can be told from every other.
  std::string value = "c" + std::to_string(number) + "-" + std::to_string(++client.ordinal) + " ";
  value.resize(value.size() + draw(mix_.value_bytes_most), '.');
  return kv::Put{client.key, Bytes::copy_of(value), condition, want_previous};
}

}  // namespace anchor::sim
