#include "core/codec/record_codec.h"

#include "core/codec/entry_codec.h"
#include "core/codec/frame.h"
#include "proto/record.capnp.h"

namespace anchor::codec {

namespace {

// More than any election timeout; it is waited for at every start.
constexpr Duration kLongestPromise = std::chrono::hours(24);

}  // namespace

Bytes encode_log_record(raft::ClusterId cluster_id, const raft::Entry& entry) {
  constexpr std::size_t kFixed = 32;
  return encode_frame<proto::LogRecord>(kFixed + entry_size_bytes(entry), [&](auto builder) {
    builder.setClusterId(cluster_id.value());
    write_entry(builder.initEntry(), entry);
  });
}

Result<raft::Entry> decode_log_record(raft::ClusterId cluster_id, raft::Index index,
                                      const Bytes& record) {
  auto message = open_frame(record);
  if (!message) return std::unexpected(message.error());
  return wire::read_flat<proto::LogRecord>(
      std::move(*message),
      [&](proto::LogRecord::Reader reader, const Bytes& buffer) -> Result<raft::Entry> {
        if (reader.getClusterId() != cluster_id.value()) {
          return failure("the record is of another cluster");
        }
        auto entry = read_entry(reader.getEntry(), buffer);
        if (entry && entry->index != index) return failure("the record is of another index");
        return entry;
      });
}

Bytes encode_membership(raft::ClusterId cluster_id, const raft::Configuration& configuration) {
  constexpr std::size_t kMember = 64;
  const std::size_t body_bytes = kMember * (1 + configuration.members.size());
  return encode_frame<proto::Membership>(body_bytes, [&](auto builder) {
    builder.setClusterId(cluster_id.value());
    write_configuration(builder.initConfiguration(), configuration);
  });
}

Result<raft::SharedConfiguration> decode_membership(raft::ClusterId cluster_id,
                                                    const Bytes& record) {
  auto flat = open_frame(record);
  if (!flat) return std::unexpected(flat.error());
  return wire::read_flat<proto::Membership>(
      std::move(*flat),
      [&](proto::Membership::Reader reader, const Bytes&) -> Result<raft::SharedConfiguration> {
        if (reader.getClusterId() != cluster_id.value()) {
          return failure("the record is of another cluster");
        }
        return read_configuration(reader.getConfiguration());
      });
}

Bytes encode_stable_state(const StableState& state) {
  constexpr std::size_t kFixed = 96;
  const std::size_t body_bytes = kFixed + 2 * state.self.id.name().size();
  return encode_frame<proto::HardState>(body_bytes, [&](auto builder) {
    builder.setClusterId(state.cluster_id.value());
    builder.setServerId(wire::as_capnp(state.self.id.name()));
    builder.setIncarnation(state.self.incarnation.value());
    builder.setBoot(state.boot.value());
    builder.setTerm(state.hard_state.term.value());
    const Duration promise = state.hard_state.longest_promise;
    builder.setLongestPromiseUs(static_cast<std::uint64_t>(promise.count()));
    builder.setDistrusted(state.hard_state.distrusted.value());
    if (!state.hard_state.vote) return;
    builder.setVotedFor(wire::as_capnp(state.hard_state.vote->id.name()));
    builder.setVotedForIncarnation(state.hard_state.vote->incarnation.value());
  });
}

Result<StableState> decode_stable_state(const Bytes& record) {
  auto message = open_frame(record);
  if (!message) return std::unexpected(message.error());
  return wire::read_flat<proto::HardState>(
      std::move(*message),
      [](proto::HardState::Reader reader, const Bytes&) -> Result<StableState> {
        auto id = read_server_id(reader.getServerId());
        if (!id) return std::unexpected(id.error());
        StableState state{.cluster_id = raft::ClusterId(reader.getClusterId()),
                          .self = {.id = std::move(*id),
                                   .incarnation = raft::Incarnation(reader.getIncarnation())},
                          .boot = raft::Boot(reader.getBoot()),
                          .hard_state = {.term = raft::Term(reader.getTerm()), .vote = {}}};
        const Duration promise(static_cast<Duration::rep>(reader.getLongestPromiseUs()));
        if (promise < Duration() || promise > kLongestPromise) {
          return failure("a promise of " + std::to_string(reader.getLongestPromiseUs()) + " us");
        }
        state.hard_state.longest_promise = promise;
        state.hard_state.distrusted = raft::Index(reader.getDistrusted());
        if (reader.getVotedFor().size() == 0) return state;
        auto vote = read_server_id(reader.getVotedFor());
        if (!vote) return std::unexpected(vote.error());
        state.hard_state.vote =
            raft::Peer{std::move(*vote), raft::Incarnation(reader.getVotedForIncarnation())};
        return state;
      });
}

}  // namespace anchor::codec
