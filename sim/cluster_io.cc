#include <algorithm>
#include <cstring>
#include <utility>

#include "core/base/assert.h"
#include "core/codec/message_codec.h"
#include "sim/cluster.h"

// What goes to disks and to the network, and comes back; the rest of the cluster is in cluster.cc.
namespace anchor::sim {

// --- The disk -----------------------------------------------------------------------------------

void Cluster::start_disk(Node& node) {
  if (!node.disk->idle_with_work()) return;
  node.disk->begin();
  const Duration latency = disk_latency(node, Stream::kDiskLatency);
  queue_.schedule(now_ + latency, DiskDone{node.number, node.life});
}

Duration Cluster::disk_latency(const Node& node, Stream stream) {
  const Faults& faults = mix_.faults;
  Duration most = faults.disk_most;
  if (node.slow_disk) most = std::max(most, faults.slow_disk_most);
  if (spared(node)) most = faults.disk_least;
  return choices_.between(faults.disk_least, most, stream, node.number);
}

void Cluster::happen(const DiskDone& done) {
  Node& node = nodes_[done.node];
  if (done.life != node.life) return;
  ++events_;
  node.persisted = node.disk->complete(
      [&](const raft::PersistBatch& batch) { checker_.writing(node.number, batch); });
  start_disk(node);
  wake_within_turn(node);
}

void Cluster::work_on_snapshots(Node& node, Output& output) {
  SnapshotDisk& snapshots = node.disk->snapshots();
  if (output.snapshot_save) {
    snapshots.begin_save(std::move(*output.snapshot_save));
    ++faults_.snapshots_saved;
  }
  for (raft::SnapshotChunk& chunk : output.snapshot_chunks) {
    auto& part = std::get<raft::InstallSnapshot>(chunk.message.body);
    part.chunk = snapshots.read(part, chunk.max_bytes);
    send(node, {chunk.message});
  }
  for (const raft::InstallSnapshot& part : output.snapshot_parts) {
    give(node, SnapshotWritten{part.file, snapshots.receive(part)});
  }
  if (output.snapshots_kept) snapshots.prune(*output.snapshots_kept);
  go_on_with_snapshots(node);
}

void Cluster::go_on_with_snapshots(Node& node) {
  if (node.snapshot_work || !node.disk->snapshots().busy()) return;
  node.snapshot_work = true;
  const Duration latency = disk_latency(node, Stream::kSnapshotWork);
  queue_.schedule(now_ + latency, SnapshotWork{node.number, node.life});
}

void Cluster::happen(const SnapshotWork& work) {
  Node& node = nodes_[work.node];
  if (work.life != node.life) return;
  ++events_;
  node.snapshot_work = false;
  for (SnapshotDisk::Done& done : node.disk->step_snapshots()) {
    if (auto* saved = std::get_if<SnapshotSaved>(&done)) {
      give(node, std::move(*saved));
    } else if (auto* received = std::get_if<SnapshotReceived>(&done)) {
      ++faults_.snapshots_received;
      give(node, std::move(*received));
    } else {
      give(node, SnapshotWritten{std::get<SnapshotDisk::Damaged>(done).file, 0});
    }
  }
  go_on_with_snapshots(node);
}

// --- The network --------------------------------------------------------------------------------

// Whom its configurations do not list a node can answer only because it has been heard; or, if it
// was removed, as it says hello.
bool Cluster::reaches(Node& node, const raft::Message& message) {
  const auto said = node.said.find(message.to);
  node.peers.reach(node.replica->raft(), message.to,
                   said == node.said.end() ? nullptr : &said->second, now_);
  return std::holds_alternative<raft::NotMember>(message.body) ||
         node.peers.addresses().contains(message.to.id);
}

void Cluster::send(Node& node, const std::vector<raft::Message>& messages) {
  for (const raft::Message& message : messages) {
    checker_.sending(node.number, message);
    if (!reaches(node, message)) continue;
    const Bytes frame = codec::encode_message(kClusterId, message);
    std::uint64_t header = 0;
    std::memcpy(&header, frame.data(), sizeof header);
    note(header);
    const auto to = static_cast<std::size_t>(std::ranges::find(nodes_, message.to.id, &Node::id) -
                                             nodes_.begin());
    ANCHOR_ASSERT(to < nodes_.size());
    for (Delivery& delivery : network_.send(node.number, to, frame, now_)) {
      const Instant at = delivery.at;
      queue_.schedule(at, Arrival{node.number, to, std::move(delivery)});
    }
  }
}

void Cluster::reset_connection(std::size_t from, std::size_t to) {
  network_.reset(from, to);
  if (nodes_[from].up()) give(nodes_[from], PeerUnreachable{nodes_[to].id});
}

void Cluster::happen(const Arrival& arrival) {
  Node& node = nodes_[arrival.to];
  if (!node.up() || !network_.alive(arrival.from, arrival.to, arrival.delivery)) return;
  ++events_;
  // What was damaged on the way must be found out here, and not be taken for anything.
  auto message = codec::decode_message(kClusterId, arrival.delivery.frame);
  if (!message) return;
  // A connection begins with a hello.
  node.said[message->from] = message->from.id.name() + ":9001";
  give(node, PeerMessage{std::move(*message)});
}

}  // namespace anchor::sim
