#include "sim/cluster_checker.h"

#include <algorithm>

#include "core/base/hash.h"
#include "core/base/random.h"
#include "core/locks.h"
#include "core/raft/quorum.h"
#include "sim/violation.h"

namespace anchor::sim {
namespace {

std::string at(std::size_t node, raft::Index index) {
  return "node " + std::to_string(node + 1) + ", index " + std::to_string(index.value());
}

std::uint64_t payload_hash(const raft::Entry& entry) {
  if (const auto* command = std::get_if<raft::Command>(&entry.payload)) {
    return command_hash(command->payload);
  }
  return entry.payload.index();
}

std::uint64_t extend(std::uint64_t chain, const raft::Entry& entry) {
  return mix64(mix64(chain ^ entry.term.value()) ^ payload_hash(entry));
}

// Replicas propose it of themselves, perhaps the same again: leaders, or who takes a lock.
bool of_a_replica(const kv::CommandBody& body) {
  if (const auto* put = std::get_if<kv::Put>(&body)) return Locks::name_of(put->key).has_value();
  const auto* erase = std::get_if<kv::Delete>(&body);
  if (erase != nullptr) return Locks::name_of(erase->key).has_value();
  return kv::only_leaders_propose(body);
}

}  // namespace

std::uint64_t command_hash(const Bytes& command) {
  return hash_bytes(command.view(), 1);
}

ClusterChecker::ClusterChecker(const std::vector<const DiskImage*>& disks,
                               std::optional<std::uint32_t> max_drift_ppm)
    : disks_(disks),
      nodes_(disks.size()),
      sessions_(max_drift_ppm),
      leases_(max_drift_ppm),
      locks_(max_drift_ppm) {}

void ClusterChecker::booted(std::size_t node, const Replica& replica) {
  NodeView& view = nodes_[node];
  const raft::Term term = replica.raft().term();
  check(term >= view.said_term, "monotonic-term", "node " + std::to_string(node + 1));
  view = {.term = term, .said_term = term};
  follow_log(node, replica.raft());
}

void ClusterChecker::stepped(std::size_t node, const Replica& replica, const raft::Output& output,
                             bool damaged) {
  NodeView& view = nodes_[node];
  const raft::Raft& raft = replica.raft();
  check(raft.term() >= view.term, "monotonic-term", "node " + std::to_string(node + 1));
  view.term = raft.term();

  if (output.persist && output.persist->truncate_from) {
    const raft::Index from = *output.persist->truncate_from;
    check(view.leads != raft.term() || view.leads == raft::Term(), "leader-append-only",
          at(node, from));
    check(from > view.commit_index, "truncates-committed", at(node, from));
    view.chain.resize(std::min<std::size_t>(view.chain.size(), from.value() - 1));
  }
  follow_log(node, raft);
  check_durable(node, raft.log());
  check_leadership(node, raft);
  check_acknowledged(node, raft);
  check_commits(node, raft);
  check_digest(node, replica, damaged);
}

// What a log has no more, a snapshot stands for: of what was committed, whatever the log had there.
void ClusterChecker::follow_base(std::size_t node, const raft::Log& log) {
  NodeView& view = nodes_[node];
  const raft::Index base = log.base().index;
  check(base <= commit_index(), "snapshot-of-committed", at(node, base));
  if (base > raft::Index()) {
    check(log.base().term == committed_at(base).term, "snapshot-of-committed", at(node, base));
  }
  view.chain.resize(std::max<std::size_t>(view.chain.size(), base.value()));
  for (raft::Index index = view.base.next(); index <= base; ++index) {
    view.chain[index.value() - 1] = committed_at(index).chain;
  }
  view.base = base;
}

// Log matching (dissertation figure 3.2): what has the same index and term has the same past.
void ClusterChecker::follow_log(std::size_t node, const raft::Raft& raft) {
  const raft::Log& log = raft.log();
  std::vector<std::uint64_t>& chain = nodes_[node].chain;
  follow_base(node, log);
  check(chain.size() <= log.last().index.value(), "log-shrinks-unwritten",
        at(node, log.last().index));
  // What is there is what was seen there, but for what the disk was told to cut.
  if (!chain.empty()) {
    const raft::Index end(chain.size());
    const auto seen = std::ranges::find(known_[chain.size() - 1], chain.back(), &TermChain::chain);
    check(seen->term == log.term_at(end), "log-changes-unwritten", at(node, end));
  }
  for (raft::Index index(chain.size() + 1); index <= log.last().index; ++index) {
    const raft::Entry& entry = log.at(index);
    check_change(node, raft, entry);
    if (const auto* shared = std::get_if<raft::SharedConfiguration>(&entry.payload)) {
      configurations_.try_emplace({entry.index, entry.term}, *shared);
    }
    chain.push_back(extend(chain.empty() ? 0 : chain.back(), entry));
    if (known_.size() < index.value()) known_.resize(index.value());
    std::vector<TermChain>& known = known_[index.value() - 1];
    const auto same_term = std::ranges::find(known, entry.term, &TermChain::term);
    if (same_term == known.end()) {
      known.push_back({entry.term, chain.back()});
    } else {
      check(same_term->chain == chain.back(), "log-matching", at(node, index));
    }
  }
}

// What it takes for durable is on its disk, as it is in its log.
void ClusterChecker::check_durable(std::size_t node, const raft::Log& log) const {
  const raft::Index durable = log.durable_index();
  if (durable == raft::Index()) return;
  check(disks_[node]->holds({durable, *log.term_at(durable)}), "durable-index", at(node, durable));
}

void ClusterChecker::check_leadership(std::size_t node, const raft::Raft& raft) {
  NodeView& view = nodes_[node];
  if (!raft.is_leader()) {
    view.leads = {};
    return;
  }
  const raft::Term term = raft.term();
  const auto [found, elected] = leaderships_.try_emplace(term);
  Leadership& leadership = found->second;
  if (elected) {
    leadership.node = node;
    for (raft::Index index(1); index <= commit_index(); ++index) {
      const CommittedEntry& entry = committed_at(index);
      if (entry.commit_term >= term) continue;
      check(view.chain.size() >= index.value() && view.chain[index.value() - 1] == entry.chain,
            "leader-completeness", at(node, index) + ", term " + std::to_string(term.value()));
    }
  }
  check(leadership.node == node, "election-safety",
        "nodes " + std::to_string(leadership.node + 1) + " and " + std::to_string(node + 1) +
            " lead in term " + std::to_string(term.value()));
  check_right_to_lead(node, raft);
  view.leads = term;
  leadership.chain.insert(leadership.chain.end(),
                          view.chain.begin() + static_cast<std::ptrdiff_t>(leadership.chain.size()),
                          view.chain.end());
}

// A learner never leads (dissertation 4.2.1), and a leader changes no members before it has
// committed an entry of its own term (Ongaro, raft-dev, 2015-07-10).
void ClusterChecker::check_right_to_lead(std::size_t node, const raft::Raft& raft) const {
  const raft::ServerId& id = raft.state().self.id;
  const std::string who = at(node, raft.log().configuration_index());
  check(!raft.state().is_member() || !raft.configuration().is_learner(id), "learner-leads", who);
  const bool changed = raft.log().term_at(raft.log().configuration_index()) == raft.term();
  check(!changed || raft.log().term_at(raft.commit_index()) == raft.term(), "change-too-early",
        who);
}

void ClusterChecker::check_commits(std::size_t node, const raft::Raft& raft) {
  NodeView& view = nodes_[node];
  check(raft.commit_index() >= view.commit_index, "monotonic-commit",
        at(node, raft.commit_index()));
  for (raft::Index index = view.commit_index.next(); index <= raft.commit_index(); ++index) {
    if (index > commit_index()) {
      add_commit(node, raft, index);
    } else {
      check(view.chain[index.value() - 1] == committed_at(index).chain &&
                (index < raft.log().base().index ||
                 raft.log().term_at(index) == committed_at(index).term),
            "state-machine-safety", at(node, index));
    }
  }
  view.commit_index = raft.commit_index();
}

void ClusterChecker::add_commit(std::size_t node, const raft::Raft& raft, raft::Index index) {
  const raft::Entry& entry = raft.log().at(index);
  // Entries that this step appended may have changed the members after it had counted.
  const raft::Configuration& in_force =
      *raft.log().configuration_at(raft.commit_index()).configuration;
  check(durable_on_quorum(raft.configuration(), entry) || durable_on_quorum(in_force, entry),
        "committed-not-durable", at(node, index));

  // Whoever leads, or led, in a later term must have it already.
  const std::uint64_t chain = nodes_[node].chain[index.value() - 1];
  for (auto later = leaderships_.upper_bound(raft.term()); later != leaderships_.end(); ++later) {
    const auto& log = later->second.chain;
    check(log.size() >= index.value() && log[index.value() - 1] == chain, "leader-completeness",
          at(node, index) + ", term " + std::to_string(later->first.value()));
  }

  CommittedEntry committed{
      .term = entry.term, .commit_term = raft.term(), .chain = chain, .at = now_};
  const auto* command = std::get_if<raft::Command>(&entry.payload);
  committed.expected = model_.apply(command == nullptr ? nullptr : &command->payload, entry.term);
  if (command != nullptr) {
    const auto decoded = kv::decode_command(command->payload);
    if (decoded) {
      sessions_.committed(*decoded, committed.expected, now_);
      leases_.committed(*decoded, committed.expected, now_);
    }
    if (!decoded || !of_a_replica(decoded->body)) {
      committed.command = command_hash(command->payload);
      commands_[committed.command].at.push_back(index);
      check_once(committed.command);
    }
  }
  committed_.push_back(std::move(committed));
}

raft::Index ClusterChecker::committed_by(Instant then) const {
  const auto later = std::ranges::upper_bound(committed_, then, {}, &CommittedEntry::at);
  return raft::Index(static_cast<std::uint64_t>(later - committed_.begin()));
}

std::vector<const raft::Configuration*> ClusterChecker::configurations() const {
  std::vector<const raft::Configuration*> current;
  for (const auto& [position, configuration] : configurations_) {
    const auto [index, term] = position;
    if (index > commit_index()) {
      current.push_back(configuration.get());
    } else if (committed_at(index).term == term) {
      current.assign(1, configuration.get());
    }
  }
  return current;
}

bool ClusterChecker::durable_on_quorum(const raft::Configuration& configuration,
                                       const raft::Entry& entry) const {
  return raft::is_quorum(configuration, [&](const raft::ServerId& id) {
    const DiskImage* disk = disk_of(configuration.find(id)->peer());
    return disk != nullptr && disk->holds({entry.index, entry.term});
  });
}

// Null: it has none, or none any more.
const DiskImage* ClusterChecker::disk_of(const raft::Peer& peer) const {
  const auto disk = std::ranges::find_if(
      disks_, [&](const DiskImage* each) { return each != nullptr && each->stable.self == peer; });
  return disk == disks_.end() ? nullptr : *disk;
}

// What a leader takes for durable at a follower is so there, unless a later leader has cut it.
void ClusterChecker::check_acknowledged(std::size_t node, const raft::Raft& raft) const {
  const auto* leader = std::get_if<raft::Leader>(&raft.role());
  if (leader == nullptr) return;
  for (const auto& [id, progress] : leader->followers) {
    const DiskImage* disk = disk_of(progress.peer);
    if (disk == nullptr || disk->stable.hard_state.term > raft.term()) continue;
    const std::optional<raft::Term> term = raft.log().term_at(progress.match);
    check(progress.match <= disk->last() && (!term || disk->holds({progress.match, *term})),
          "match-is-durable", at(node, progress.match) + ", " + id.name());
  }
}

// Each configuration shares a quorum's member with the one before it (dissertation 4.3), and there
// is no more than one that is not committed.
void ClusterChecker::check_change(std::size_t node, const raft::Raft& raft,
                                  const raft::Entry& entry) const {
  const raft::Log& log = raft.log();
  const auto* shared = std::get_if<raft::SharedConfiguration>(&entry.payload);
  // What is committed was looked at before, and what preceded it may be there no more.
  if (shared == nullptr || entry.index == raft::Index(1) || entry.index <= commit_index()) return;
  const raft::Log::Configured& before = log.configuration_at(entry.index.previous());
  if (before.configuration == nullptr || before.index == raft::Index()) return;
  check(before.index <= std::max(commit_index(), raft.commit_index()), "one-change-at-a-time",
        at(node, entry.index));
  const raft::Configuration& from = *before.configuration;
  const raft::Configuration& to = **shared;
  const bool follows = from.joint() ? !to.joint() && to.voters == from.voters
                       : to.joint() ? to.outgoing_voters == from.voters
                                    : to.voters == from.voters;
  check(follows, "quorums-intersect", at(node, entry.index));
  check_promotions(from, to, at(node, entry.index));
}

// A learner that is made a voter has come up and holds what was committed before it was admitted
// (dissertation 4.2.1): else the quorum may lean on a server that never comes.
void ClusterChecker::check_promotions(const raft::Configuration& from,
                                      const raft::Configuration& to, const std::string& who) const {
  for (const raft::ServerId& id : to.voters) {
    if (from.is_voter(id)) continue;
    const raft::Peer promoted = to.find(id)->peer();
    const DiskImage* disk = disk_of(promoted);
    check(disk != nullptr && disk->last().value() >= promoted.incarnation.value(),
          "promotes-who-holds", who + ", " + id.name());
  }
}

bool ClusterChecker::is_state(raft::Index index, std::uint64_t digest) const {
  if (index == raft::Index()) return digest == kv::Store().digest();
  return index.value() < digests_.size() && digests_[index.value()] == digest;
}

void ClusterChecker::check_digest(std::size_t node, const Replica& replica, bool damaged) {
  NodeView& view = nodes_[node];
  const raft::Index index = replica.applied_index();
  check(index >= view.applied_index && index <= view.commit_index, "monotonic-applied",
        at(node, index));
  if (index == view.applied_index) return;
  view.applied_index = index;
  if (damaged) return;
  if (digests_.size() <= index.value()) digests_.resize(index.value() + 1);
  std::uint64_t& digest = digests_[index.value()];
  if (digest == 0) digest = replica.store().digest();
  check(digest == replica.store().digest(), "digest", at(node, index));
}

void ClusterChecker::sending(std::size_t node, const raft::Message& message) {
  nodes_[node].said_term = std::max(nodes_[node].said_term, message.term);
  if (const auto* forward = std::get_if<raft::ForwardRequest>(&message.body)) {
    check_forward(node, *forward);
  }
  const DiskImage& image = *disks_[node];
  const raft::HardState& durable = image.stable.hard_state;
  const std::string who =
      "node " + std::to_string(node + 1) + ", term " + std::to_string(message.term.value());
  check(durable.term >= message.term, "ack-honesty-term", who);
  const auto voted = [&](raft::Term term, const raft::ServerId& candidate) {
    return durable.term > term ||
           (durable.term == term && durable.vote && durable.vote->id == candidate);
  };
  if (const auto* reply = std::get_if<raft::VoteReply>(&message.body)) {
    check(!reply->granted || reply->pre_vote || voted(reply->campaign_term, message.to.id),
          "ack-honesty-vote", who);
  } else if (const auto* request = std::get_if<raft::RequestVote>(&message.body)) {
    check(request->pre_vote || voted(request->campaign_term, message.from.id), "ack-honesty-vote",
          who);
  } else if (const auto* rejected = std::get_if<raft::AppendRejected>(&message.body)) {
    check(durable.longest_promise >= rejected->promise, "ack-honesty-promise", who);
  } else if (const auto* accepted = std::get_if<raft::AppendAccepted>(&message.body)) {
    check(durable.longest_promise >= accepted->promise, "ack-honesty-promise", who);
    if (durable.term > message.term) return;
    const raft::Index match = accepted->match_index;
    check(match <= image.last(), "ack-honesty-append", who);
    const auto leadership = leaderships_.find(message.term);
    if (leadership == leaderships_.end() || match == raft::Index() || image.covers(match)) return;
    const std::vector<TermChain>& known = known_[match.value() - 1];
    const auto same_term = std::ranges::find(known, *image.term_at(match), &TermChain::term);
    const auto& leader = leadership->second.chain;
    check(same_term != known.end() && leader.size() >= match.value() &&
              leader[match.value() - 1] == same_term->chain,
          "ack-honesty-append", who + ", index " + std::to_string(match.value()));
  }
}

void ClusterChecker::writing(std::size_t node, const raft::PersistBatch& batch) const {
  if (!batch.truncate_from || *batch.truncate_from > commit_index()) return;
  const raft::Index from = *batch.truncate_from;
  // By word of an earlier leader than the one that committed it, to which it has said nothing yet.
  if (disks_[node]->stable.hard_state.term < committed_at(from).commit_term) return;
  check(disks_[node]->covers(from) || disks_[node]->term_at(from) != committed_at(from).term,
        "truncates-committed", at(node, from));
}

}  // namespace anchor::sim
