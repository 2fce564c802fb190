#include "core/codec/entry_codec.h"

#include "core/raft/configuration.h"
#include "core/wire/flat_message.h"

namespace anchor::codec {
namespace {

using Ids = std::vector<raft::ServerId>;

constexpr std::size_t kServerIdBytes = 255;

}  // namespace

Result<raft::ServerId> read_server_id(capnp::Text::Reader text) {
  if (text.size() == 0 || text.size() > kServerIdBytes) return failure("a server has no valid id");
  return raft::ServerId(std::string(wire::as_text(text)));
}

void write_ids(capnp::List<capnp::Text>::Builder builder, const Ids& ids) {
  for (unsigned i = 0; i < builder.size(); ++i) builder.set(i, wire::as_capnp(ids[i].name()));
}

Result<Ids> read_ids(capnp::List<capnp::Text>::Reader reader) {
  Ids ids;
  for (const capnp::Text::Reader text : reader) {
    auto id = read_server_id(text);
    if (!id) return std::unexpected(id.error());
    ids.push_back(std::move(*id));
  }
  return ids;
}

void write_configuration(proto::Configuration::Builder builder,
                         const raft::Configuration& configuration) {
  const auto count = [](const auto& list) { return static_cast<unsigned>(list.size()); };
  auto members = builder.initMembers(count(configuration.members));
  for (unsigned i = 0; i < members.size(); ++i) {
    const raft::Member& member = configuration.members[i];
    members[i].setId(wire::as_capnp(member.id.name()));
    members[i].setIncarnation(member.incarnation.value());
    members[i].setAddress(wire::as_capnp(member.address));
    members[i].setHttpAddress(wire::as_capnp(member.http_address));
  }
  write_ids(builder.initVoters(count(configuration.voters)), configuration.voters);
  write_ids(builder.initOutgoingVoters(count(configuration.outgoing_voters)),
            configuration.outgoing_voters);
  write_ids(builder.initLearners(count(configuration.learners)), configuration.learners);
}

Result<raft::SharedConfiguration> read_configuration(proto::Configuration::Reader reader) {
  raft::Configuration configuration;
  for (const proto::Member::Reader member : reader.getMembers()) {
    auto id = read_server_id(member.getId());
    if (!id) return std::unexpected(id.error());
    configuration.members.push_back(
        {.id = std::move(*id),
         .incarnation = raft::Incarnation(member.getIncarnation()),
         .address = std::string(wire::as_text(member.getAddress())),
         .http_address = std::string(wire::as_text(member.getHttpAddress()))});
  }
  const auto assign = [](Ids& to, Result<Ids> ids) {
    if (ids) to = std::move(*ids);
    return ids.has_value();
  };
  if (!assign(configuration.voters, read_ids(reader.getVoters())) ||
      !assign(configuration.outgoing_voters, read_ids(reader.getOutgoingVoters())) ||
      !assign(configuration.learners, read_ids(reader.getLearners())) ||
      !raft::valid(configuration)) {
    return failure("a configuration contradicts itself");
  }
  return std::make_shared<const raft::Configuration>(std::move(configuration));
}

std::size_t entry_size_bytes(const raft::Entry& entry) {
  constexpr std::size_t kFixed = 48;
  return kFixed + raft::entry_bytes(entry);
}

void write_entry(proto::Entry::Builder builder, const raft::Entry& entry) {
  builder.setIndex(entry.index.value());
  builder.setTerm(entry.term.value());
  auto payload = builder.getPayload();
  if (const auto* command = std::get_if<raft::Command>(&entry.payload)) {
    payload.setCommand(wire::as_data(command->payload.view()));
  } else if (const auto* shared = std::get_if<raft::SharedConfiguration>(&entry.payload)) {
    write_configuration(payload.initConfiguration(), **shared);
  } else {
    payload.setNoOp();
  }
}

Result<raft::Entry> read_entry(proto::Entry::Reader reader, const Bytes& buffer) {
  raft::Entry entry{
      .index = raft::Index(reader.getIndex()), .term = raft::Term(reader.getTerm()), .payload = {}};
  const auto payload = reader.getPayload();
  switch (payload.which()) {
    case proto::Entry::Payload::NO_OP:
      return entry;
    case proto::Entry::Payload::COMMAND: {
      const ByteView command = wire::as_view(payload.getCommand());
      entry.payload = raft::Command{command.empty() ? Bytes() : buffer.slice(command)};
      return entry;
    }
    case proto::Entry::Payload::CONFIGURATION: {
      auto configuration = read_configuration(payload.getConfiguration());
      if (!configuration) return std::unexpected(configuration.error());
      entry.payload = std::move(*configuration);
      return entry;
    }
  }
  return failure("an entry is of a kind that this version does not know");
}

}  // namespace anchor::codec
