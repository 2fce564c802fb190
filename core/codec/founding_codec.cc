#include "core/codec/founding_codec.h"

#include "core/codec/entry_codec.h"
#include "core/codec/frame.h"
#include "proto/founding.capnp.h"

namespace anchor::codec {
namespace {

constexpr std::size_t kGuessBytes = 512;

// --- To bytes -----------------------------------------------------------------------------------

void write_founder(proto::Founder::Builder to, const Founder& founder) {
  to.setId(wire::as_capnp(founder.id.name()));
  to.setAddress(wire::as_capnp(founder.address));
  to.setHttpAddress(wire::as_capnp(founder.http_address));
}

void write_proposal(proto::FoundingProposal::Builder to, const FoundingProposal& proposal) {
  to.setClusterId(proposal.cluster_id.value());
  auto founders = to.initFounders(static_cast<unsigned>(proposal.founders.size()));
  for (unsigned i = 0; i < founders.size(); ++i) write_founder(founders[i], proposal.founders[i]);
}

void write_hello(proto::FoundingHello::Builder to, const FoundingHello& hello) {
  write_founder(to.initFounder(), hello.founder);
  to.setNonce(hello.nonce);
  to.setExpect(hello.expect);
  write_ids(to.initSeen(static_cast<unsigned>(hello.seen.size())), hello.seen);
  to.setPrepared(hello.prepared);
}

proto::ProposalOutcome as_proto(ProposalOutcome outcome) {
  switch (outcome) {
    case ProposalOutcome::kCommitted:
      return proto::ProposalOutcome::COMMITTED;
    case ProposalOutcome::kAborted:
      return proto::ProposalOutcome::ABORTED;
    case ProposalOutcome::kUndecided:
      break;
  }
  return proto::ProposalOutcome::UNDECIDED;
}

struct ReplyWriter {
  proto::FoundingReply::Builder to;

  void operator()(const FoundingHello& hello) { write_hello(to.initHello(), hello); }
  void operator()(const AlreadyMember& member) {
    auto group = to.initMember();
    group.setClusterId(member.cluster_id.value());
    group.setId(wire::as_capnp(member.id.name()));
    write_ids(group.initMembers(static_cast<unsigned>(member.members.size())), member.members);
  }
  void operator()(const ProposalAccepted& accepted) {
    auto group = to.initAccepted();
    group.setClusterId(accepted.cluster_id.value());
    group.setFrom(wire::as_capnp(accepted.from.name()));
  }
  void operator()(const FoundingRefused& refused) { to.setRefused(wire::as_capnp(refused.reason)); }
  void operator()(const OutcomeAnswer& answer) {
    auto group = to.initOutcome();
    group.setClusterId(answer.cluster_id.value());
    group.setFrom(wire::as_capnp(answer.from.name()));
    group.setOutcome(as_proto(answer.outcome));
  }
};

// --- From bytes ---------------------------------------------------------------------------------

Result<Founder> read_founder(proto::Founder::Reader from) {
  auto id = read_server_id(from.getId());
  if (!id) return std::unexpected(id.error());
  return Founder{.id = std::move(*id),
                 .address = std::string(wire::as_text(from.getAddress())),
                 .http_address = std::string(wire::as_text(from.getHttpAddress()))};
}

Result<FoundingProposal> read_proposal(proto::FoundingProposal::Reader from) {
  FoundingProposal proposal{.cluster_id = raft::ClusterId(from.getClusterId()), .founders = {}};
  for (const proto::Founder::Reader reader : from.getFounders()) {
    auto founder = read_founder(reader);
    if (!founder) return std::unexpected(founder.error());
    proposal.founders.push_back(std::move(*founder));
  }
  if (!valid(proposal)) return failure("a founding proposal contradicts itself");
  return proposal;
}

Result<FoundingHello> read_hello(proto::FoundingHello::Reader from) {
  auto founder = read_founder(from.getFounder());
  if (!founder) return std::unexpected(founder.error());
  auto seen = read_ids(from.getSeen());
  if (!seen) return std::unexpected(seen.error());
  return FoundingHello{.founder = std::move(*founder),
                       .nonce = from.getNonce(),
                       .expect = from.getExpect(),
                       .seen = std::move(*seen),
                       .prepared = from.getPrepared()};
}

Result<FoundingReply> read_member(proto::FoundingReply::Member::Reader from) {
  auto id = read_server_id(from.getId());
  if (!id) return std::unexpected(id.error());
  auto members = read_ids(from.getMembers());
  if (!members) return std::unexpected(members.error());
  return AlreadyMember{.cluster_id = raft::ClusterId(from.getClusterId()),
                       .id = std::move(*id),
                       .members = std::move(*members)};
}

Result<ProposalOutcome> read_outcome(proto::ProposalOutcome outcome) {
  switch (outcome) {
    case proto::ProposalOutcome::COMMITTED:
      return ProposalOutcome::kCommitted;
    case proto::ProposalOutcome::ABORTED:
      return ProposalOutcome::kAborted;
    case proto::ProposalOutcome::UNDECIDED:
      return ProposalOutcome::kUndecided;
  }
  return failure("an outcome is of a kind that this version does not know");
}

// The value within a result, as a variant that can hold it.
template <typename Variant, typename T>
Result<Variant> widen(Result<T> result) {
  if (!result) return std::unexpected(result.error());
  return Variant(std::move(*result));
}

Result<FoundingReply> read_reply(proto::FoundingReply::Reader from) {
  switch (from.which()) {
    case proto::FoundingReply::HELLO:
      return widen<FoundingReply>(read_hello(from.getHello()));
    case proto::FoundingReply::MEMBER:
      return read_member(from.getMember());
    case proto::FoundingReply::ACCEPTED: {
      auto id = read_server_id(from.getAccepted().getFrom());
      if (!id) return std::unexpected(id.error());
      return ProposalAccepted{raft::ClusterId(from.getAccepted().getClusterId()), std::move(*id)};
    }
    case proto::FoundingReply::REFUSED:
      return FoundingRefused{std::string(wire::as_text(from.getRefused()))};
    case proto::FoundingReply::OUTCOME: {
      auto id = read_server_id(from.getOutcome().getFrom());
      if (!id) return std::unexpected(id.error());
      const auto outcome = read_outcome(from.getOutcome().getOutcome());
      if (!outcome) return std::unexpected(outcome.error());
      return OutcomeAnswer{raft::ClusterId(from.getOutcome().getClusterId()), std::move(*id),
                           *outcome};
    }
  }
  return failure("a founding reply is of a kind that this version does not know");
}

Result<FoundingRequest> read_request(proto::FoundingRequest::Reader from) {
  switch (from.which()) {
    case proto::FoundingRequest::HELLO:
      return widen<FoundingRequest>(read_hello(from.getHello()));
    case proto::FoundingRequest::PREPARE:
      return widen<FoundingRequest>(read_proposal(from.getPrepare()));
    case proto::FoundingRequest::OUTCOME:
      return OutcomeQuery{raft::ClusterId(from.getOutcome())};
  }
  return failure("a founding request is of a kind that this version does not know");
}

}  // namespace

Bytes encode_founding_request(const FoundingRequest& request) {
  return encode_frame<proto::FoundingRequest>(kGuessBytes, [&](auto to) {
    if (const auto* hello = std::get_if<FoundingHello>(&request)) {
      write_hello(to.initHello(), *hello);
    } else if (const auto* proposal = std::get_if<FoundingProposal>(&request)) {
      write_proposal(to.initPrepare(), *proposal);
    } else {
      to.setOutcome(std::get<OutcomeQuery>(request).cluster_id.value());
    }
  });
}

Result<FoundingRequest> decode_founding_request(const Bytes& frame) {
  return decode_frame<proto::FoundingRequest>(frame, read_request);
}

Bytes encode_founding_reply(const FoundingReply& reply) {
  return encode_frame<proto::FoundingReply>(kGuessBytes,
                                            [&](auto to) { std::visit(ReplyWriter{to}, reply); });
}

Result<FoundingReply> decode_founding_reply(const Bytes& frame) {
  return decode_frame<proto::FoundingReply>(frame, read_reply);
}

Bytes encode_founding_proposal(const FoundingProposal& proposal) {
  return encode_frame<proto::FoundingProposal>(kGuessBytes,
                                               [&](auto to) { write_proposal(to, proposal); });
}

Result<FoundingProposal> decode_founding_proposal(const Bytes& frame) {
  return decode_frame<proto::FoundingProposal>(frame, read_proposal);
}

}  // namespace anchor::codec
