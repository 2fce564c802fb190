#include "core/codec/admin_codec.h"

#include <algorithm>
#include <string>
#include <utility>

#include "core/codec/entry_codec.h"
#include "core/wire/flat_message.h"

namespace anchor::codec {
namespace {

using Request = proto::AdminRequest;
using Answer = proto::AdminAnswer;

std::string text_of(capnp::Text::Reader text) {
  return std::string(wire::as_text(text));
}

// --- To bytes -----------------------------------------------------------------------------------

struct RequestWriter {
  Request::Builder to;

  void operator()(const raft::AddServer& add) {
    auto group = to.initAddServer();
    group.setId(wire::as_capnp(add.id.name()));
    group.setAddress(wire::as_capnp(add.address));
    group.setHttpAddress(wire::as_capnp(add.http_address));
    group.setJoinToken(add.join_token);
    group.setLearner(add.learner);
  }
  void operator()(const raft::MoveServer& move) {
    auto group = to.initMoveServer();
    group.setId(wire::as_capnp(move.member.id.name()));
    group.setIncarnation(move.member.incarnation.value());
    group.setAddress(wire::as_capnp(move.address));
    group.setHttpAddress(wire::as_capnp(move.http_address));
  }
  void operator()(const raft::RemoveServer& remove) {
    auto group = to.initRemoveServer();
    group.setId(wire::as_capnp(remove.id.name()));
    group.setForce(remove.force);
  }
  void operator()(const raft::PromoteServer& promote) {
    to.setPromoteServer(wire::as_capnp(promote.id.name()));
  }
  void operator()(const raft::TransferLeadership& transfer) {
    to.setTransferLeadership(transfer.target ? wire::as_capnp(transfer.target->name()) : "");
  }
};

proto::AdminRefusal as_proto(raft::AdminRefusal reason) {
  switch (reason) {
    case raft::AdminRefusal::kChangeInProgress:
      return proto::AdminRefusal::CHANGE_IN_PROGRESS;
    case raft::AdminRefusal::kNotReady:
      return proto::AdminRefusal::NOT_READY;
    case raft::AdminRefusal::kNotFound:
      return proto::AdminRefusal::NOT_FOUND;
    case raft::AdminRefusal::kQuorumAtRisk:
      return proto::AdminRefusal::QUORUM_AT_RISK;
    case raft::AdminRefusal::kIdentityTaken:
      break;
  }
  return proto::AdminRefusal::IDENTITY_TAKEN;
}

struct AnswerWriter {
  Answer::Builder to;

  void operator()(const raft::ConfigurationChanged& changed) {
    auto group = to.initConfigurationChanged();
    group.setIndex(changed.index.value());
    write_configuration(group.initConfiguration(), *changed.configuration);
  }
  void operator()(const raft::LeadershipTransferred& transferred) {
    to.setLeadershipTransferred(wire::as_capnp(transferred.leader.name()));
  }
  void operator()(const raft::AdminRefused& refused) {
    auto group = to.initRefused();
    group.setReason(as_proto(refused.reason));
    group.setMessage(wire::as_capnp(refused.message));
  }
};

// --- From bytes ---------------------------------------------------------------------------------

// They are stored with the cluster, in every snapshot.
Result<void> check_addresses(capnp::Text::Reader address, capnp::Text::Reader http_address) {
  constexpr std::size_t kAddressBytesMost = 320;  // a name of 253, a port, and room
  if (std::max(address.size(), http_address.size()) <= kAddressBytesMost) return {};
  return failure("an address is too long");
}

Result<raft::AdminRequest> read_add_server(Request::AddServer::Reader from) {
  auto id = read_server_id(from.getId());
  if (!id) return std::unexpected(id.error());
  if (auto checked = check_addresses(from.getAddress(), from.getHttpAddress()); !checked) {
    return std::unexpected(checked.error());
  }
  return raft::AddServer{.id = std::move(*id),
                         .address = text_of(from.getAddress()),
                         .http_address = text_of(from.getHttpAddress()),
                         .join_token = from.getJoinToken(),
                         .learner = from.getLearner()};
}

Result<raft::AdminRequest> read_move_server(Request::MoveServer::Reader from) {
  auto id = read_server_id(from.getId());
  if (!id) return std::unexpected(id.error());
  if (auto checked = check_addresses(from.getAddress(), from.getHttpAddress()); !checked) {
    return std::unexpected(checked.error());
  }
  return raft::MoveServer{
      .member = {.id = std::move(*id), .incarnation = raft::Incarnation(from.getIncarnation())},
      .address = text_of(from.getAddress()),
      .http_address = text_of(from.getHttpAddress())};
}

Result<raft::AdminRequest> read_transfer(capnp::Text::Reader target) {
  if (target.size() == 0) return raft::TransferLeadership{};
  auto id = read_server_id(target);
  if (!id) return std::unexpected(id.error());
  return raft::TransferLeadership{std::move(*id)};
}

Result<raft::AdminRefusal> read_refusal(proto::AdminRefusal reason) {
  switch (reason) {
    case proto::AdminRefusal::CHANGE_IN_PROGRESS:
      return raft::AdminRefusal::kChangeInProgress;
    case proto::AdminRefusal::NOT_READY:
      return raft::AdminRefusal::kNotReady;
    case proto::AdminRefusal::NOT_FOUND:
      return raft::AdminRefusal::kNotFound;
    case proto::AdminRefusal::QUORUM_AT_RISK:
      return raft::AdminRefusal::kQuorumAtRisk;
    case proto::AdminRefusal::IDENTITY_TAKEN:
      return raft::AdminRefusal::kIdentityTaken;
  }
  return failure("a refusal is of a kind that this version does not know");
}

}  // namespace

void write_admin_request(Request::Builder builder, const raft::AdminRequest& request) {
  std::visit(RequestWriter{builder}, request);
}

Result<raft::AdminRequest> read_admin_request(Request::Reader reader) {
  switch (reader.which()) {
    case Request::ADD_SERVER:
      return read_add_server(reader.getAddServer());
    case Request::MOVE_SERVER:
      return read_move_server(reader.getMoveServer());
    case Request::REMOVE_SERVER: {
      auto id = read_server_id(reader.getRemoveServer().getId());
      if (!id) return std::unexpected(id.error());
      return raft::RemoveServer{std::move(*id), reader.getRemoveServer().getForce()};
    }
    case Request::PROMOTE_SERVER: {
      auto id = read_server_id(reader.getPromoteServer());
      if (!id) return std::unexpected(id.error());
      return raft::PromoteServer{std::move(*id)};
    }
    case Request::TRANSFER_LEADERSHIP:
      return read_transfer(reader.getTransferLeadership());
  }
  return failure("a request to the leader is of a kind that this version does not know");
}

void write_admin_answer(Answer::Builder builder, const raft::AdminAnswer& answer) {
  std::visit(AnswerWriter{builder}, answer);
}

Result<raft::AdminAnswer> read_admin_answer(Answer::Reader reader) {
  switch (reader.which()) {
    case Answer::CONFIGURATION_CHANGED: {
      const auto from = reader.getConfigurationChanged();
      auto configuration = read_configuration(from.getConfiguration());
      if (!configuration) return std::unexpected(configuration.error());
      return raft::ConfigurationChanged{raft::Index(from.getIndex()), std::move(*configuration)};
    }
    case Answer::LEADERSHIP_TRANSFERRED: {
      auto id = read_server_id(reader.getLeadershipTransferred());
      if (!id) return std::unexpected(id.error());
      return raft::LeadershipTransferred{std::move(*id)};
    }
    case Answer::REFUSED: {
      const auto reason = read_refusal(reader.getRefused().getReason());
      if (!reason) return std::unexpected(reason.error());
      return raft::AdminRefused{*reason, text_of(reader.getRefused().getMessage())};
    }
  }
  return failure("an answer of the leader is of a kind that this version does not know");
}

}  // namespace anchor::codec
