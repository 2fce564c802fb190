#include "core/raft/snapshot.h"

#include <algorithm>
#include <utility>

#include "core/base/assert.h"
#include "core/raft/replication.h"

namespace anchor::raft {
namespace {

// A chunk, or its answer, may get lost.
Duration silence_before_resending(const State& state) {
  return 4 * state.options.heartbeat_interval;
}

Duration time_to_send(const State& state, std::uint64_t bytes) {
  const auto microseconds = bytes * 1'000'000 / state.options.snapshot_bytes_per_second;
  return Duration(static_cast<Duration::rep>(microseconds));
}

// How long it may take, at this leader's rate, until each of those who are sent snapshots was sent
// a chunk.
Duration round_of_chunks(const State& state, const Leader& leader) {
  Duration round{};
  for (const auto& [id, progress] : leader.followers) {
    const auto* sending = std::get_if<SendSnapshot>(&progress.state);
    if (sending == nullptr) continue;
    round +=
        time_to_send(state, std::min(sending->file.size_bytes, state.options.snapshot_chunk_bytes));
  }
  return round;
}

// The log is not kept for ever for a follower that is silent; and hardly at all once it is half as
// long as it may be. Nor for one that was sent a snapshot and takes nothing more, though its turn
// has come, and come again in case that a chunk was lost.
bool seems_lost(const State& state, const Leader& leader, const Progress& progress) {
  const Duration timeout = state.options.election_timeout;
  const bool ample = room_of_log(state) == LogRoom::kAmple;
  if (!progress.heard_within((ample ? 10 : 1) * timeout, state.now)) return true;
  if (!progress.kept_log->sent_snapshot) return false;
  Duration patience = 10 * timeout;
  if (const auto* sending = std::get_if<SendSnapshot>(&progress.state)) {
    patience += 2 * round_of_chunks(state, leader);
    // What it has received as a whole it reads back, before it says that it has it.
    constexpr std::uint64_t kSlowReadBytesPerMillisecond = 32 << 10;
    patience += std::chrono::milliseconds(sending->file.size_bytes / kSlowReadBytesPerMillisecond);
  }
  return state.now - progress.progressed >= patience;
}

Instant resending_due(const State& state, const Progress& progress, const SendSnapshot& sending) {
  return std::max(progress.progressed, sending.resent) + silence_before_resending(state);
}

bool window_open(const State& state, const SendSnapshot& sending) {
  return sending.sent_bytes < sending.file.size_bytes &&
         sending.sent_bytes - sending.acknowledged_bytes < state.options.snapshot_window_bytes;
}

// One that takes chunks and acknowledges none is not to keep the others from theirs.
bool has_turn(const State& state, const Leader& leader, const Progress& progress) {
  return std::ranges::none_of(leader.followers, [&](const auto& follower) {
    const Progress& other = follower.second;
    const auto* sending = std::get_if<SendSnapshot>(&other.state);
    return sending != nullptr && window_open(state, *sending) &&
           other.chunk_sent < progress.chunk_sent;
  });
}

void send_chunk(State& state, Leader& leader, Progress& progress, SendSnapshot& sending) {
  const std::uint64_t left = sending.file.size_bytes - sending.sent_bytes;
  const std::uint64_t bytes = std::min(left, state.options.snapshot_chunk_bytes);
  Message message{.from = state.self,
                  .from_boot = state.boot,
                  .to = progress.peer,
                  .term = state.term(),
                  .body = InstallSnapshot{.file = sending.file, .offset = sending.sent_bytes}};
  state.output.snapshot_chunks.push_back({std::move(message), bytes});
  sending.sent_bytes += bytes;
  progress.chunk_sent = state.now;
  leader.chunk_due = std::max(leader.chunk_due, state.now) + time_to_send(state, bytes);
}

void add_snapshot(State& state, const SnapshotFile& file) {
  std::erase_if(state.snapshots,
                [&](const SnapshotFile& other) { return other.position == file.position; });
  const auto at =
      std::ranges::upper_bound(state.snapshots, file.position.index, {},
                               [](const SnapshotFile& each) { return each.position.index; });
  state.snapshots.insert(at, file);
  state.compaction_due = true;
}

// What a snapshot covers, but for a trailing part.
Index covered(const State& state) {
  if (state.log.bytes() <= state.options.trailing_bytes) return state.log.base().index;
  Index index = state.snapshots.back().position.index;
  std::uint64_t bytes = 0;
  while (index > state.log.base().index) {
    bytes += entry_bytes(state.log.at(index));
    if (bytes > state.options.trailing_bytes) break;
    index = index.previous();
  }
  return index;
}

bool is_sent(const Role& role, const SnapshotFile& file) {
  const auto* leader = std::get_if<Leader>(&role);
  return leader != nullptr && std::ranges::any_of(leader->followers, [&](const auto& follower) {
           const auto* sending = std::get_if<SendSnapshot>(&follower.second.state);
           return sending != nullptr && sending->file == file;
         });
}

// Before the log is cut: for whom is it to be kept? As long as that does not bring it near to where
// writes are slowed down, for everybody who lacks what would be cut and can still be sent it.
void keep_log(const State& state, Progress& progress) {
  const bool ample = state.log.bytes() <= state.options.log_bytes / 4;
  if (auto& kept = progress.kept_log) {
    if (!ample && !kept->sent_snapshot) return kept.reset();
    kept->after = std::max(kept->after, progress.match);
    return;
  }
  const Index base = state.log.base().index;
  const bool lacks = progress.match < state.snapshots.back().position.index;
  const bool answers = progress.heard_within(state.options.election_timeout, state.now);
  // A new leader does not know yet what it has, and takes it for as good as its own log.
  if (!ample || !lacks || !answers || progress.next.previous() < base) return;
  progress.kept_log = KeptLog{std::max(progress.match, base)};
}

// To whom the snapshot is sent.
bool is_news(const State& state, Index position) {
  if (position > state.commit_index) return true;
  return state.needs_snapshot() && position >= state.hard_state.distrusted;
}

// Another of the state as it is now takes its place, and is what is sent next.
void distrust(State& state, const SnapshotFile& file) {
  state.snapshot_wanted = true;
  state.output.events.push_back(SnapshotDistrusted{state.term(), file.position});
}

}  // namespace

// --- The leader ---------------------------------------------------------------------------------

bool wants_snapshot(State& state, const Progress& progress) {
  const Index wanted = progress.snapshot_wanted;
  if (wanted == Index() || wanted > state.commit_index) return false;
  if (!state.snapshots.empty() && state.snapshots.back().position.index >= wanted) return true;
  state.snapshot_wanted = true;
  return false;
}

void begin_snapshot(State& state, Progress& progress) {
  ANCHOR_ASSERT(!state.snapshots.empty());
  ANCHOR_ASSERT(progress.next <= state.log.base().index || progress.snapshot_wanted > Index());
  const SnapshotFile& file = state.snapshots.back();
  progress.state = SendSnapshot{.file = file, .resent = state.now};
  progress.kept_log = KeptLog{.after = file.position.index, .sent_snapshot = true};
  state.compaction_due = true;
  progress.progressed = state.now;
  state.output.events.push_back(SnapshotSent{state.term(), file.position, progress.peer.id, false});
}

void send_snapshot(State& state, Leader& leader, Progress& progress) {
  auto& sending = std::get<SendSnapshot>(progress.state);
  if (state.now >= resending_due(state, progress, sending)) {
    sending.sent_bytes = sending.acknowledged_bytes;
    sending.resent = state.now;
  }
  while (window_open(state, sending) && leader.chunk_due <= state.now &&
         has_turn(state, leader, progress)) {
    send_chunk(state, leader, progress, sending);
  }
}

void end_snapshot(State& state, Progress& progress) {
  const auto& sending = std::get<SendSnapshot>(progress.state);
  state.output.events.push_back(
      SnapshotSent{state.term(), sending.file.position, progress.peer.id, true});
  state.compaction_due = true;  // the file is not kept for this one any more
  progress.kept_log->after = progress.match;
  progress.state = Replicate{};
}

void let_log_go(State& state, Progress& progress) {
  auto& kept = progress.kept_log;
  if (!kept || std::holds_alternative<SendSnapshot>(progress.state)) return;
  if (progress.match >= state.snapshots.back().position.index) {
    kept.reset();
    state.compaction_due = true;
  } else if (room_of_log(state) != LogRoom::kAmple) {
    // While writes wait there may be no next snapshot to cut the log at: now and then it is cut as
    // the follower takes it.
    const std::uint64_t entries = state.log.last().index - state.log.base().index;
    const bool much = progress.match > kept->after && 8 * (progress.match - kept->after) >= entries;
    state.compaction_due = state.compaction_due || much;
  }
}

// If it comes back while the snapshot is still the newest, it goes on from what it has.
void give_up(State& state, const Leader& leader, Progress& progress) {
  if (!progress.kept_log || !seems_lost(state, leader, progress)) return;
  progress.kept_log.reset();
  state.compaction_due = true;
  if (std::holds_alternative<SendSnapshot>(progress.state)) progress.probe_from(progress.next);
}

void handle_snapshot_accepted(State& state, Progress& progress, const SnapshotAccepted& reply) {
  auto* sending = std::get_if<SendSnapshot>(&progress.state);
  if (sending == nullptr || reply.position != sending->file.position) return;
  const std::uint64_t received = std::min(reply.received_bytes, sending->file.size_bytes);
  if (received == sending->acknowledged_bytes) return;
  // Less than before: what it had was damaged, and it begins again.
  if (received < sending->acknowledged_bytes && received != 0) return;
  if (received == 0) {
    sending->sent_bytes = 0;
    const bool whole = sending->acknowledged_bytes == sending->file.size_bytes;
    // What is damaged on the way once is so on this server's own disk when it is so again.
    if (whole && ++sending->refused == 2) distrust(state, sending->file);
  } else {
    progress.progressed = state.now;
  }
  sending->acknowledged_bytes = received;
  sending->sent_bytes = std::max(sending->sent_bytes, received);
}

std::optional<Instant> snapshot_deadline(const State& state, const Leader& leader) {
  std::optional<Instant> due;
  if (!state.trusts_state()) return due;
  for (const auto& [id, progress] : leader.followers) {
    const auto* sending = std::get_if<SendSnapshot>(&progress.state);
    if (sending == nullptr) continue;
    const Instant next = window_open(state, *sending) ? std::max(leader.chunk_due, state.now)
                                                      : resending_due(state, progress, *sending);
    due = std::min(due.value_or(next), next);
  }
  return due;
}

LogRoom room_of_log(const State& state) {
  if (state.log.bytes() <= state.options.log_bytes / 2) return LogRoom::kAmple;
  return state.log.bytes() <= state.options.log_bytes ? LogRoom::kScarce : LogRoom::kNone;
}

bool admit_write(State& state, Leader& leader, std::uint64_t bytes) {
  const LogRoom room = room_of_log(state);
  if (room != std::exchange(leader.log_room, room)) {
    LogRoomChanged event{.term = state.term(), .room = room, .bytes = state.log.bytes()};
    for (const auto& [id, progress] : leader.followers) {
      if (progress.kept_log) event.kept_for.push_back(id);
    }
    state.output.events.push_back(std::move(event));
    state.compaction_due = true;  // who was not sent a snapshot is given up
  }
  if (room != LogRoom::kScarce) return room == LogRoom::kAmple;
  // At this pace what room there is lasts so long, and the pace falls with it. Some writes at once
  // make up for steps that come late.
  constexpr Duration kRoomLasts = 10s;
  constexpr Duration kLongestWait = 1s;
  constexpr Duration kAtOnce = 10ms;
  const std::uint64_t left =
      std::max<std::uint64_t>(1, state.options.log_bytes - state.log.bytes());
  const std::uint64_t grows = bytes + entry_bytes(Entry{});
  const auto ticks = static_cast<std::uint64_t>(kRoomLasts.count()) * grows / left;
  const Duration wait = std::min(kLongestWait, Duration(static_cast<Duration::rep>(ticks)));
  leader.write_due = std::max(leader.write_due, state.now - kAtOnce) + wait;
  return true;
}

std::optional<Instant> writes_wait(const State& state, const Role& role) {
  const auto* leader = std::get_if<Leader>(&role);
  if (leader == nullptr || room_of_log(state) != LogRoom::kScarce) return std::nullopt;
  if (leader->write_due <= state.now) return std::nullopt;
  return leader->write_due;
}

// --- The follower -------------------------------------------------------------------------------

void handle_install_snapshot(State& state, const Follower& follower,
                             const InstallSnapshot& request) {
  if (contradicts(state, follower, request.file.position)) return;
  if (!is_news(state, request.file.position.index)) {
    // Nothing in it is news here, and it may be behind: a snapshot takes nobody back.
    const Index durable = std::min(state.commit_index, state.log.durable_index());
    return state.send(
        *follower.leader,
        AppendAccepted{.match_index = durable, .round = {}, .short_of_disk = state.short_of_disk});
  }
  state.receiving = request.file;
  state.output.snapshot_parts.push_back(request);
}

void snapshot_written(State& state, const Role& role, const SnapshotFile& file,
                      std::uint64_t received_bytes) {
  const auto* follower = std::get_if<Follower>(&role);
  if (state.receiving != file || follower == nullptr || !follower->leader) return;
  state.send(*follower->leader,
             SnapshotAccepted{.position = file.position, .received_bytes = received_bytes});
}

bool install_snapshot(State& state, Role& role, const SnapshotFile& file,
                      Log::Configured configuration) {
  if (state.receiving == file) state.receiving.reset();
  const LogPosition position = file.position;
  // A leader has all that is committed, though it may not know yet what is.
  if (!is_news(state, position.index) || std::holds_alternative<Leader>(role)) return false;
  auto* follower = std::get_if<Follower>(&role);
  if (follower != nullptr && contradicts(state, *follower, position)) return false;
  add_snapshot(state, file);
  if (!state.log.contains(position)) {
    state.log.restart_after(position, std::move(configuration));
  }
  state.commit_index = std::max(state.commit_index, position.index);
  state.output.events.push_back(SnapshotInstalled{state.term(), position});
  if (auto* candidate = std::get_if<Candidate>(&role)) {
    // Members of what this server took for the configuration may have voted.
    std::erase_if(candidate->granted, [&](const ServerId& id) {
      return id != state.self.id && state.configuration().find(id) == nullptr;
    });
  }
  if (follower == nullptr) return true;
  follower->verified = std::max(follower->verified, position.index);
  if (follower->leader) {
    const Index durable = std::min(state.commit_index, state.log.durable_index());
    state.send(
        *follower->leader,
        AppendAccepted{.match_index = durable, .round = {}, .short_of_disk = state.short_of_disk});
  }
  return true;
}

// --- Everybody ----------------------------------------------------------------------------------

void snapshot_saved(State& state, Role& role, const SnapshotFile& file) {
  // Who is sent a damaged one, perhaps of the same state, begins anew.
  if (auto* leader = std::get_if<Leader>(&role)) {
    for (auto& [id, progress] : leader->followers) {
      const auto* sending = std::get_if<SendSnapshot>(&progress.state);
      if (sending != nullptr && sending->refused >= 2) progress.probe_from(progress.next);
    }
  }
  add_snapshot(state, file);
  state.snapshot_wanted = false;
  state.output.events.push_back(SnapshotTaken{state.term(), file});
}

Index compactable(const State& state, const Role& role) {
  if (state.snapshots.empty()) return state.log.base().index;
  Index to = covered(state);
  const auto* leader = std::get_if<Leader>(&role);
  if (leader == nullptr) return to;
  for (const auto& [id, progress] : leader->followers) {
    if (progress.kept_log) to = std::min(to, progress.kept_log->after);
  }
  return to;
}

void compact(State& state, Role& role) {
  if (!std::exchange(state.compaction_due, false) || state.snapshots.empty()) return;
  if (auto* leader = std::get_if<Leader>(&role)) {
    for (auto& [id, progress] : leader->followers) keep_log(state, progress);
  }
  const Index to = compactable(state, role);
  if (to > state.log.base().index) {
    state.log.compact(to);
    state.output.events.push_back(LogCompacted{state.term(), to});
  }

  // The newest two, and what is being sent.
  const std::size_t old = state.snapshots.size() - std::min<std::size_t>(state.snapshots.size(), 2);
  const Index oldest_kept = state.snapshots[old].position.index;
  std::erase_if(state.snapshots, [&](const SnapshotFile& each) {
    return each.position.index < oldest_kept && !is_sent(role, each);
  });
  std::vector<LogPosition> kept;
  for (const SnapshotFile& each : state.snapshots) kept.push_back(each.position);
  state.output.snapshots_kept = std::move(kept);
}

}  // namespace anchor::raft
