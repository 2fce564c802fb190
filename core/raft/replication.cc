#include "core/raft/replication.h"

#include <algorithm>
#include <utility>

#include "core/base/assert.h"
#include "core/raft/quorum.h"
#include "core/raft/snapshot.h"

namespace anchor::raft {
namespace {

// A round is answered at once, so that the disk does not delay a read or a leader's knowledge that
// it leads; then the answer speaks only of what is durable already. One answer a round is enough.
bool answer_at_once(Follower& follower, const AppendEntries& request) {
  return request.round > std::exchange(follower.round, std::max(follower.round, request.round));
}

Index durable_match(const State& state, const Follower& follower) {
  return std::min(follower.verified, state.log.durable_index());
}

void accept(State& state, const Follower& follower, Index match, Round round, WriteId after = {}) {
  const Duration promise = spoken_promise(state);
  const Index wanted = state.needs_snapshot() ? state.hard_state.distrusted : Index();
  state.send(*follower.leader,
             AppendAccepted{.match_index = match,
                            .round = round,
                            .promise = promise,
                            .sent = state.now,
                            .snapshot_wanted = wanted,
                            .short_of_disk = state.short_of_disk},
             after);
}

void reject(State& state, const Follower& follower, const AppendEntries& request) {
  const Duration promise = spoken_promise(state);
  state.send(*follower.leader,
             AppendRejected{.previous_index = request.previous.index,
                            .hint = state.log.possible_agreement(request.previous),
                            .round = request.round,
                            .promise = promise,
                            .sent = state.now});
}

// Appends the entries that the log lacks. An entry that conflicts, with the same index but another
// term, goes with all that follow it; one that is there stays, and so does what follows it: the
// request may be older than the log (dissertation 3.5).
void append_new(State& state, const std::vector<Entry>& entries) {
  for (const Entry& entry : entries) {
    if (entry.index <= state.commit_index) continue;
    if (state.log.contains({entry.index, entry.term})) continue;
    if (entry.index <= state.log.last().index) state.log.truncate_from(entry.index);
    state.log.append(entry);
  }
}

}  // namespace

bool contradicts(const State& state, const Follower& follower, LogPosition position) {
  const Index settled =
      std::max({follower.verified, state.commit_index, state.log.founding_index()});
  return position.index >= state.log.base().index && position.index <= settled &&
         !state.log.contains(position);
}

void handle_append_entries(State& state, Follower& follower, const AppendEntries& request) {
  if (contradicts(state, follower, request.previous)) return;
  for (const Entry& entry : request.entries) {
    if (contradicts(state, follower, {entry.index, entry.term})) return;
  }
  if (auto fresh = freshness(state, request)) {
    follower.fresh = fresh;
    follower.reached = std::max(follower.reached, request.dating->echo);
  }
  const bool prompt = answer_at_once(follower, request);
  // What was compacted is committed, and agrees with every later leader's log.
  const bool agrees =
      request.previous.index < state.log.base().index || state.log.contains(request.previous);
  if (!agrees) return reject(state, follower, request);

  append_new(state, request.entries);
  const Index last_new = request.previous.index + request.entries.size();
  follower.verified = std::max({follower.verified, last_new, state.commit_index});
  learn_commit_index(state, follower, std::min(request.commit_index, follower.verified));

  if (prompt) {
    accept(state, follower, durable_match(state, follower), request.round);
  }
  if (!request.entries.empty()) {
    const WriteId write = state.log.write_of(last_new, state.next_write);
    if (prompt && write <= state.durable_write) return;  // just said
    accept(state, follower, last_new, request.round, write);
  }
}

void learn_commit_index(State& state, const Follower& follower, Index leader_commit) {
  state.commit(std::min(leader_commit, follower.verified));
}

LogPosition append_as_leader(State& state, Leader& leader, decltype(Entry::payload) payload) {
  Entry entry{
      .index = state.log.last().index.next(), .term = state.term(), .payload = std::move(payload)};
  leader.uncommitted_bytes += entry_bytes(entry);
  state.log.append(std::move(entry));
  return state.log.last();
}

void handle_append_accepted(State& state, Progress& progress, const AppendAccepted& reply) {
  if (reply.match_index > progress.match) progress.progressed = state.now;
  progress.match = std::max(progress.match, reply.match_index);
  progress.next = std::max(progress.next, progress.match.next());
  progress.snapshot_wanted = reply.snapshot_wanted;
  progress.short_of_disk = reply.short_of_disk;
  if (auto* replicating = std::get_if<Replicate>(&progress.state)) {
    replicating->acknowledged(progress.match);
  } else if (!std::holds_alternative<SendSnapshot>(progress.state)) {
    progress.state = Replicate{};
  } else if (progress.match >= state.log.base().index && reply.snapshot_wanted == Index()) {
    end_snapshot(state, progress);
  }
  let_log_go(state, progress);
}

void handle_append_rejected(const State& state, Progress& progress, const AppendRejected& reply) {
  // Of a message that was overtaken: the logs are known to agree further on, or the question was
  // asked before a hint that has been followed since.
  if (reply.previous_index <= progress.match) return;
  if (std::holds_alternative<SendSnapshot>(progress.state)) return;
  if (!progress.replicating() && reply.previous_index >= progress.next) return;
  progress.probe_from(state.log.possible_agreement(reply.hint).index.next());
}

// Whoever is away, or is sent a snapshot, acknowledges no entry: if the others can commit without
// it, it is the room on their disks that counts.
void notice_room_on_disks(State& state, Leader& leader) {
  const auto has_room = [&](const ServerId& id) {
    const Progress* progress = leader.follower(id);
    return !(progress == nullptr ? state.short_of_disk : progress->short_of_disk);
  };
  const auto acknowledges = [&](const ServerId& id) {
    const Progress* progress = leader.follower(id);
    return progress == nullptr ||
           (progress->heard_within(state.options.election_timeout, state.now) &&
            !std::holds_alternative<SendSnapshot>(progress->state));
  };
  const auto both = [&](const ServerId& id) { return has_room(id) && acknowledges(id); };
  const Configuration& configuration = state.configuration();
  const bool now = !is_quorum(configuration, has_room) ||
                   (is_quorum(configuration, acknowledges) && !is_quorum(configuration, both));
  if (now == std::exchange(leader.short_of_disk, now)) return;
  DiskRoomChanged event{.term = state.term(), .enough = !now};
  for (const Member& member : configuration.members) {
    const Progress* progress = leader.follower(member.id);
    const bool told = progress == nullptr || progress->boot != Boot();
    if (told && configuration.is_voter(member.id) && !has_room(member.id)) {
      event.short_of_disk.push_back(member.id);
    }
  }
  state.output.events.push_back(std::move(event));
}

void advance_commit_index(State& state, Leader& leader) {
  const Index replicated = quorum_value(state.configuration(), [&](const ServerId& id) {
    // The leader's own disk is one of the quorum's, no more and no less.
    if (id == state.self.id) return state.log.durable_index();
    return leader.followers.at(id).match;
  });
  // Only entries of the leader's own term commit by counting (dissertation 3.6.2).
  if (replicated <= state.commit_index || state.log.term_at(replicated) != state.term()) return;
  for (Index index = state.commit_index.next(); index <= replicated; ++index) {
    leader.uncommitted_bytes -= entry_bytes(state.log.at(index));
  }
  state.commit(replicated);
  if (!leader.commit_notice_due) {
    leader.commit_notice_due = state.now + state.options.heartbeat_interval / 10;
  }
}

namespace {

std::optional<Dating> dating(const State& state, const Leader& leader, const Progress& progress) {
  const auto fresh = freshness(state, leader);
  if (!fresh || progress.echo == Instant()) return std::nullopt;
  return Dating{progress.boot, progress.echo, state.now - fresh->as_of};
}

void send_append(State& state, Leader& leader, Progress& progress, std::vector<Entry> entries) {
  // To one that is sent a snapshot this is a heartbeat, and tells it that it lacks what it lacks.
  const Index previous = std::max(progress.next.previous(), state.log.base().index);
  progress.commit_told = state.commit_index;
  progress.round_asked = leader.round;
  if (!entries.empty()) progress.next = progress.next + entries.size();
  state.send(progress.peer, AppendEntries{.previous = {previous, *state.log.term_at(previous)},
                                          .commit_index = state.commit_index,
                                          .round = leader.round,
                                          .entries = std::move(entries),
                                          .dating = dating(state, leader, progress)});
}

// Entries for one follower, as far as its window goes; true if anything was sent.
bool send_entries(State& state, Leader& leader, Progress& progress) {
  const Index last = state.log.last().index;
  bool sent = false;
  give_up(state, leader, progress);
  if (std::holds_alternative<SendSnapshot>(progress.state)) {
    if (state.trusts_state()) send_snapshot(state, leader, progress);
    return false;
  }
  const bool lacks = progress.next.previous() < state.log.base().index;
  // Of a state that may be wrong nobody gets a snapshot: who has the log's entries goes on with
  // them.
  if (lacks || (state.trusts_state() && wants_snapshot(state, progress))) {
    // Nor does one that may be gone.
    const bool answers = progress.heard_within(state.options.election_timeout, state.now);
    if (!answers || !state.trusts_state()) return false;
    begin_snapshot(state, progress);
    send_snapshot(state, leader, progress);
    return false;
  }
  if (auto* probe = std::get_if<Probe>(&progress.state)) {
    if (probe->waiting || progress.next > last) return false;
    probe->waiting = true;
    const Index next = progress.next;
    send_append(state, leader, progress, state.log.from(next, state.options.append_bytes));
    progress.next = next;
    return true;
  }
  auto& replicating = std::get<Replicate>(progress.state);
  while (progress.next <= last && replicating.window_open(state.options)) {
    std::vector<Entry> entries = state.log.from(progress.next, state.options.append_bytes);
    std::uint64_t bytes = 0;
    for (const Entry& entry : entries) bytes += entry_bytes(entry);
    send_append(state, leader, progress, std::move(entries));
    replicating.sent(progress.next.previous(), bytes, state.now);
    sent = true;
  }
  return sent;
}

}  // namespace

void replicate(State& state, Leader& leader) {
  const bool notice = leader.commit_notice_due && *leader.commit_notice_due <= state.now;
  if (notice) leader.commit_notice_due.reset();
  for (auto& [id, progress] : leader.followers) {
    if (send_entries(state, leader, progress)) continue;
    const bool untold = notice && progress.commit_told < state.commit_index;
    if (progress.round_asked < leader.round || untold) send_append(state, leader, progress, {});
  }
  const auto told = [&](const auto& follower) {
    return follower.second.commit_told == state.commit_index;
  };
  if (std::ranges::all_of(leader.followers, told)) leader.commit_notice_due.reset();
}

Instant quorum_heard(const State& state, const Leader& leader) {
  return quorum_value(state.configuration(), [&](const ServerId& id) {
    return id == state.self.id ? state.now : leader.followers.at(id).last_heard;
  });
}

}  // namespace anchor::raft
