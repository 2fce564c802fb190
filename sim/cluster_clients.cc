#include <algorithm>
#include <utility>

#include "core/base/assert.h"
#include "core/base/hash.h"
#include "sim/cluster.h"

// What clients ask of nodes, and are answered; the rest of the cluster is in cluster.cc.
namespace anchor::sim {

void Cluster::answer(Node& node, const Reply& reply) {
  if (const auto admin = node.admin_requests.extract(reply.id)) {
    note(reply.outcome.index());
    return admin.mapped()(&reply.outcome);
  }
  const auto found = node.requests.find(reply.id);
  ANCHOR_ASSERT(found != node.requests.end(), "each request is answered once");
  const OperationId operation = found->second;
  node.requests.erase(found);
  note(reply.outcome.index());
  if (const auto* read = std::get_if<ReadDone>(&reply.outcome)) {
    note(read->item ? read->item->mod_revision().value() : 0);
    note(read->revision.value());
    note(static_cast<std::uint64_t>(read->age.value_or(Duration(-1)).count()));
  } else if (const auto* applied = std::get_if<WriteApplied>(&reply.outcome)) {
    note(hash_bytes(kv::encode_result(applied->result).view(), 0));
  }
  if (states_sound(mix_)) history_.returned(operation, reply.outcome, now_);
  if (answer_) answer_(operation, &reply.outcome);
}

RequestId Cluster::give_request(Node& node, RequestBody body) {
  ANCHOR_ASSERT(node.up());
  const RequestId id(++last_request_);
  Instant deadline =
      node.clock.at(now_) + choices_.between(500ms, 6s, Stream::kClient, node.number);
  if (const auto* acquire = std::get_if<AcquireLock>(&body)) deadline += acquire->wait;
  give(node, ClientRequest{.id = id, .deadline = deadline, .body = std::move(body)});
  return id;
}

OperationId Cluster::submit(std::size_t number, ClientRequestBody request) {
  Node& node = nodes_[number];
  const OperationId operation = history_.call(request);
  RequestBody body = std::visit([](auto& kind) { return RequestBody(std::move(kind)); }, request);
  node.requests.emplace(give_request(node, std::move(body)), operation);
  return operation;
}

void Cluster::abandon(std::size_t number, OperationId operation) {
  Node& node = nodes_[number];
  const auto request =
      std::ranges::find(node.requests, operation, [](const auto& each) { return each.second; });
  if (request != node.requests.end()) give(node, ClientGone{request->first});
}

void Cluster::administer(std::size_t number, raft::AdminRequest request, AdminCallback callback) {
  Node& node = nodes_[number];
  node.admin_requests.emplace(give_request(node, std::move(request)), std::move(callback));
}

WatchId Cluster::watch(std::size_t number, WatchedKeys keys, kv::Revision from) {
  Node& node = nodes_[number];
  ANCHOR_ASSERT(node.up() && node.replica->serves());
  node.watches.notice(node.replica->store());
  return node.watches.open(std::move(keys), from);
}

bool Cluster::watches(std::size_t number, std::uint64_t life) const {
  const Node& node = nodes_[number];
  return node.up() && node.life == life && node.replica->serves();
}

std::variant<Watches::Events, Watches::Resync> Cluster::read_watch(std::size_t number, WatchId id,
                                                                   std::size_t bytes_most) {
  Node& node = nodes_[number];
  node.watches.notice(node.replica->store());
  return node.watches.read(id, node.replica->store(), bytes_most);
}

void Cluster::end_watch(std::size_t number, std::uint64_t life, WatchId id) {
  if (nodes_[number].life == life) nodes_[number].watches.close(id);
}

}  // namespace anchor::sim
