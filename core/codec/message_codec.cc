#include "core/codec/message_codec.h"

#include "core/codec/admin_codec.h"
#include "core/codec/entry_codec.h"
#include "core/codec/frame.h"
#include "proto/message.capnp.h"

namespace anchor::codec {
namespace {

using Body = proto::Message::Body;

constexpr std::size_t kFixedBytes = 256;

std::size_t body_size_bytes(const raft::MessageBody& body) {
  std::size_t size = kFixedBytes;
  if (const auto* append = std::get_if<raft::AppendEntries>(&body)) {
    for (const raft::Entry& entry : append->entries) size += entry_size_bytes(entry);
  } else if (const auto* install = std::get_if<raft::InstallSnapshot>(&body)) {
    size += install->chunk.size();
  } else if (const auto* forward = std::get_if<raft::ForwardRequest>(&body)) {
    const auto* command = std::get_if<raft::Command>(&forward->proposal);
    if (command != nullptr) size += command->payload.size();
  } else if (const auto* reply = std::get_if<raft::ForwardReply>(&body)) {
    const auto* result = std::get_if<Bytes>(&reply->result);
    if (result != nullptr) size += result->size();
  }
  return size;
}

// Microseconds travel unsigned; what no clock or time-out has is refused by whoever uses it.
std::uint64_t to_us(Duration duration) {
  return static_cast<std::uint64_t>(duration.count());
}
std::uint64_t to_us(Instant instant) {
  return to_us(instant.time_since_epoch());
}
Duration duration_of(std::uint64_t us) {
  return Duration(static_cast<Duration::rep>(us));
}

// --- To bytes -----------------------------------------------------------------------------------

struct Writer {
  Body::Builder builder;

  void operator()(const raft::RequestVote& request) {
    auto to = builder.initRequestVote();
    to.setCampaignTerm(request.campaign_term.value());
    to.setPreVote(request.pre_vote);
    to.setTransfer(request.transfer);
    to.setLastIndex(request.last.index.value());
    to.setLastTerm(request.last.term.value());
  }
  void operator()(const raft::VoteReply& reply) {
    auto to = builder.initVoteReply();
    to.setCampaignTerm(reply.campaign_term.value());
    to.setPreVote(reply.pre_vote);
    to.setGranted(reply.granted);
  }
  void operator()(const raft::AppendEntries& request) {
    auto to = builder.initAppendEntries();
    to.setPreviousIndex(request.previous.index.value());
    to.setPreviousTerm(request.previous.term.value());
    to.setCommitIndex(request.commit_index.value());
    to.setRound(request.round.value());
    if (request.dating) {
      to.setDatingBoot(request.dating->boot.value());
      to.setDatingEchoUs(to_us(request.dating->echo));
      to.setDatingAgeUs(to_us(request.dating->age));
    }
    auto entries = to.initEntries(static_cast<unsigned>(request.entries.size()));
    for (unsigned i = 0; i < entries.size(); ++i) write_entry(entries[i], request.entries[i]);
  }
  void operator()(const raft::AppendAccepted& reply) {
    auto to = builder.initAppendAccepted();
    to.setMatchIndex(reply.match_index.value());
    to.setRound(reply.round.value());
    to.setPromiseUs(to_us(reply.promise));
    to.setSentUs(to_us(reply.sent));
    to.setSnapshotWanted(reply.snapshot_wanted.value());
    to.setShortOfDisk(reply.short_of_disk);
  }
  void operator()(const raft::AppendRejected& reply) {
    auto to = builder.initAppendRejected();
    to.setPreviousIndex(reply.previous_index.value());
    to.setHintIndex(reply.hint.index.value());
    to.setHintTerm(reply.hint.term.value());
    to.setRound(reply.round.value());
    to.setPromiseUs(to_us(reply.promise));
    to.setSentUs(to_us(reply.sent));
  }
  void operator()(const raft::InstallSnapshot& request) {
    auto to = builder.initInstallSnapshot();
    to.setIndex(request.file.position.index.value());
    to.setTerm(request.file.position.term.value());
    to.setSizeBytes(request.file.size_bytes);
    to.setChecksum(request.file.checksum);
    to.setOffset(request.offset);
    to.setChunk(wire::as_data(request.chunk.view()));
  }
  void operator()(const raft::SnapshotAccepted& reply) {
    auto to = builder.initSnapshotAccepted();
    to.setIndex(reply.position.index.value());
    to.setTerm(reply.position.term.value());
    to.setReceivedBytes(reply.received_bytes);
  }
  void operator()(const raft::ReadIndexRequest& request) {
    auto to = builder.initReadIndexRequest();
    to.setContext(request.context);
    to.setLease(request.lease);
  }
  void operator()(const raft::ReadIndexReply& reply) {
    auto to = builder.initReadIndexReply();
    to.setContext(reply.context);
    to.setRequesterBoot(reply.requester_boot.value());
    to.setReadIndex(reply.read_index.value());
    to.setByLease(reply.by_lease);
  }
  void operator()(const raft::ForwardRequest& request) {
    auto to = builder.initForwardRequest();
    to.setSequence(request.sequence);
    to.setLeaderBoot(request.leader_boot.value());
    to.setLeaderTerm(request.leader_term.value());
    if (const auto* command = std::get_if<raft::Command>(&request.proposal)) {
      to.getBody().setCommand(wire::as_data(command->payload.view()));
    } else if (const auto* query = std::get_if<raft::Query>(&request.proposal)) {
      to.getBody().setQuery(wire::as_data(query->payload.view()));
    } else {
      write_admin_request(to.getBody().initAdmin(), std::get<raft::AdminRequest>(request.proposal));
    }
  }
  void operator()(const raft::ForwardReply& reply) {
    auto to = builder.initForwardReply();
    to.setRequesterBoot(reply.requester_boot.value());
    to.setSequence(reply.sequence);
    to.setOutcome(outcome_of(reply.outcome));
    if (const auto* result = std::get_if<Bytes>(&reply.result)) {
      to.getResult().setCommand(wire::as_data(result->view()));
    } else {
      write_admin_answer(to.getResult().initAdmin(), std::get<raft::AdminAnswer>(reply.result));
    }
  }
  void operator()(const raft::TimeoutNow&) { builder.setTimeoutNow(); }
  void operator()(const raft::MembershipQuery&) { builder.setMembershipQuery(); }
  void operator()(const raft::NotMember& notice) {
    builder.initNotMember().setConfigurationIndex(notice.configuration_index.value());
  }

  void operator()(const raft::DigestReport& report) {
    auto to = builder.initDigestReport();
    to.setIndex(report.index.value());
    to.setDigest(report.digest);
  }

  static proto::ForwardOutcome outcome_of(raft::ForwardOutcome outcome) {
    switch (outcome) {
      case raft::ForwardOutcome::kApplied:
        return proto::ForwardOutcome::APPLIED;
      case raft::ForwardOutcome::kNotApplied:
        return proto::ForwardOutcome::NOT_APPLIED;
      case raft::ForwardOutcome::kOverloaded:
        return proto::ForwardOutcome::OVERLOADED;
      case raft::ForwardOutcome::kShortOfDisk:
        return proto::ForwardOutcome::SHORT_OF_DISK;
      case raft::ForwardOutcome::kUnknown:
        break;
    }
    return proto::ForwardOutcome::UNKNOWN;
  }
};

// --- From bytes ---------------------------------------------------------------------------------

Bytes slice_of(const Bytes& buffer, capnp::Data::Reader data) {
  return data.size() == 0 ? Bytes() : buffer.slice(wire::as_view(data));
}

Result<raft::MessageBody> read_append_entries(Body::AppendEntries::Reader from,
                                              const Bytes& buffer) {
  raft::AppendEntries request{.previous = {.index = raft::Index(from.getPreviousIndex()),
                                           .term = raft::Term(from.getPreviousTerm())},
                              .commit_index = raft::Index(from.getCommitIndex()),
                              .round = raft::Round(from.getRound()),
                              .entries = {}};
  if (from.getDatingEchoUs() != 0) {
    request.dating = raft::Dating{.boot = raft::Boot(from.getDatingBoot()),
                                  .echo = Instant(duration_of(from.getDatingEchoUs())),
                                  .age = duration_of(from.getDatingAgeUs())};
  }
  request.entries.reserve(from.getEntries().size());
  for (const proto::Entry::Reader reader : from.getEntries()) {
    auto entry = read_entry(reader, buffer);
    if (!entry) return std::unexpected(entry.error());
    request.entries.push_back(std::move(*entry));
  }
  return request;
}

raft::AppendAccepted read_append_accepted(Body::AppendAccepted::Reader from) {
  return {.match_index = raft::Index(from.getMatchIndex()),
          .round = raft::Round(from.getRound()),
          .promise = duration_of(from.getPromiseUs()),
          .sent = Instant(duration_of(from.getSentUs())),
          .snapshot_wanted = raft::Index(from.getSnapshotWanted()),
          .short_of_disk = from.getShortOfDisk()};
}

raft::AppendRejected read_append_rejected(Body::AppendRejected::Reader from) {
  return {
      .previous_index = raft::Index(from.getPreviousIndex()),
      .hint = {.index = raft::Index(from.getHintIndex()), .term = raft::Term(from.getHintTerm())},
      .round = raft::Round(from.getRound()),
      .promise = duration_of(from.getPromiseUs()),
      .sent = Instant(duration_of(from.getSentUs()))};
}

Result<raft::ForwardOutcome> read_outcome(proto::ForwardOutcome outcome) {
  switch (outcome) {
    case proto::ForwardOutcome::APPLIED:
      return raft::ForwardOutcome::kApplied;
    case proto::ForwardOutcome::NOT_APPLIED:
      return raft::ForwardOutcome::kNotApplied;
    case proto::ForwardOutcome::OVERLOADED:
      return raft::ForwardOutcome::kOverloaded;
    case proto::ForwardOutcome::SHORT_OF_DISK:
      return raft::ForwardOutcome::kShortOfDisk;
    case proto::ForwardOutcome::UNKNOWN:
      return raft::ForwardOutcome::kUnknown;
  }
  return failure("a forward's outcome is of a kind that this version does not know");
}

Result<raft::MessageBody> read_forward_request(Body::ForwardRequest::Reader from,
                                               const Bytes& buffer) {
  raft::ForwardRequest request{.sequence = from.getSequence(),
                               .leader_boot = raft::Boot(from.getLeaderBoot()),
                               .leader_term = raft::Term(from.getLeaderTerm())};
  switch (from.getBody().which()) {
    case Body::ForwardRequest::Body::COMMAND:
      request.proposal = raft::Command{slice_of(buffer, from.getBody().getCommand())};
      return request;
    case Body::ForwardRequest::Body::QUERY:
      request.proposal = raft::Query{slice_of(buffer, from.getBody().getQuery())};
      return request;
    case Body::ForwardRequest::Body::ADMIN: {
      auto admin = read_admin_request(from.getBody().getAdmin());
      if (!admin) return std::unexpected(admin.error());
      request.proposal = std::move(*admin);
      return request;
    }
  }
  return failure("a forwarded request is of a kind that this version does not know");
}

Result<raft::MessageBody> read_forward_reply(Body::ForwardReply::Reader from, const Bytes& buffer) {
  const auto outcome = read_outcome(from.getOutcome());
  if (!outcome) return std::unexpected(outcome.error());
  raft::ForwardReply reply{.requester_boot = raft::Boot(from.getRequesterBoot()),
                           .sequence = from.getSequence(),
                           .outcome = *outcome};
  switch (from.getResult().which()) {
    case Body::ForwardReply::Result::COMMAND:
      reply.result = slice_of(buffer, from.getResult().getCommand());
      return reply;
    case Body::ForwardReply::Result::ADMIN: {
      auto answer = read_admin_answer(from.getResult().getAdmin());
      if (!answer) return std::unexpected(answer.error());
      reply.result = std::move(*answer);
      return reply;
    }
  }
  return failure("a forward's result is of a kind that this version does not know");
}

raft::InstallSnapshot read_install_snapshot(Body::InstallSnapshot::Reader from,
                                            const Bytes& buffer) {
  const raft::LogPosition position{raft::Index(from.getIndex()), raft::Term(from.getTerm())};
  return {.file = {.position = position,
                   .size_bytes = from.getSizeBytes(),
                   .checksum = from.getChecksum()},
          .offset = from.getOffset(),
          .chunk = slice_of(buffer, from.getChunk())};
}

Result<raft::MessageBody> read_body(Body::Reader body, const Bytes& buffer) {
  switch (body.which()) {
    case Body::REQUEST_VOTE: {
      const auto from = body.getRequestVote();
      return raft::RequestVote{.campaign_term = raft::Term(from.getCampaignTerm()),
                               .pre_vote = from.getPreVote(),
                               .transfer = from.getTransfer(),
                               .last = {.index = raft::Index(from.getLastIndex()),
                                        .term = raft::Term(from.getLastTerm())}};
    }
    case Body::VOTE_REPLY: {
      const auto from = body.getVoteReply();
      return raft::VoteReply{.campaign_term = raft::Term(from.getCampaignTerm()),
                             .pre_vote = from.getPreVote(),
                             .granted = from.getGranted()};
    }
    case Body::APPEND_ENTRIES:
      return read_append_entries(body.getAppendEntries(), buffer);
    case Body::APPEND_ACCEPTED:
      return read_append_accepted(body.getAppendAccepted());
    case Body::APPEND_REJECTED:
      return read_append_rejected(body.getAppendRejected());
    case Body::INSTALL_SNAPSHOT:
      return read_install_snapshot(body.getInstallSnapshot(), buffer);
    case Body::SNAPSHOT_ACCEPTED: {
      const auto from = body.getSnapshotAccepted();
      return raft::SnapshotAccepted{
          .position = {.index = raft::Index(from.getIndex()), .term = raft::Term(from.getTerm())},
          .received_bytes = from.getReceivedBytes()};
    }
    case Body::READ_INDEX_REQUEST:
      return raft::ReadIndexRequest{.context = body.getReadIndexRequest().getContext(),
                                    .lease = body.getReadIndexRequest().getLease()};
    case Body::READ_INDEX_REPLY: {
      const auto from = body.getReadIndexReply();
      return raft::ReadIndexReply{.context = from.getContext(),
                                  .requester_boot = raft::Boot(from.getRequesterBoot()),
                                  .read_index = raft::Index(from.getReadIndex()),
                                  .by_lease = from.getByLease()};
    }
    case Body::FORWARD_REQUEST:
      return read_forward_request(body.getForwardRequest(), buffer);
    case Body::FORWARD_REPLY:
      return read_forward_reply(body.getForwardReply(), buffer);
    case Body::TIMEOUT_NOW:
      return raft::TimeoutNow{};
    case Body::MEMBERSHIP_QUERY:
      return raft::MembershipQuery{};
    case Body::NOT_MEMBER:
      return raft::NotMember{raft::Index(body.getNotMember().getConfigurationIndex())};
    case Body::DIGEST_REPORT:
      return raft::DigestReport{raft::Index(body.getDigestReport().getIndex()),
                                body.getDigestReport().getDigest()};
  }
  return failure("a message is of a kind that this version does not know");
}

}  // namespace

Bytes encode_message(raft::ClusterId cluster_id, const raft::Message& message) {
  return encode_frame<proto::Message>(body_size_bytes(message.body), [&](auto builder) {
    builder.setClusterId(cluster_id.value());
    builder.setFrom(wire::as_capnp(message.from.id.name()));
    builder.setFromIncarnation(message.from.incarnation.value());
    builder.setFromBoot(message.from_boot.value());
    builder.setTo(wire::as_capnp(message.to.id.name()));
    builder.setToIncarnation(message.to.incarnation.value());
    builder.setTerm(message.term.value());
    std::visit(Writer{builder.getBody()}, message.body);
  });
}

Result<raft::Message> decode_message(raft::ClusterId cluster_id, const Bytes& frame) {
  auto flat = open_frame(frame);
  if (!flat) return std::unexpected(flat.error());
  return wire::read_flat<proto::Message>(
      std::move(*flat),
      [&](proto::Message::Reader reader, const Bytes& buffer) -> Result<raft::Message> {
        if (reader.getClusterId() != cluster_id.value()) {
          return failure("the message is of another cluster");
        }
        auto from = read_server_id(reader.getFrom());
        if (!from) return std::unexpected(from.error());
        auto to = read_server_id(reader.getTo());
        if (!to) return std::unexpected(to.error());
        auto body = read_body(reader.getBody(), buffer);
        if (!body) return std::unexpected(body.error());
        return raft::Message{
            .from = {.id = std::move(*from),
                     .incarnation = raft::Incarnation(reader.getFromIncarnation())},
            .from_boot = raft::Boot(reader.getFromBoot()),
            .to = {.id = std::move(*to),
                   .incarnation = raft::Incarnation(reader.getToIncarnation())},
            .term = raft::Term(reader.getTerm()),
            .body = std::move(*body)};
      });
}

}  // namespace anchor::codec
