#include "core/codec/joining_codec.h"

#include <string>
#include <utility>

#include "core/codec/admin_codec.h"
#include "core/codec/entry_codec.h"
#include "core/codec/frame.h"
#include "proto/joining.capnp.h"

namespace anchor::codec {
namespace {

constexpr std::size_t kGuessBytes = 512;

Result<JoinRequest> read_request(proto::JoinRequest::Reader from) {
  auto request = read_admin_request(from.getRequest());
  if (!request) return std::unexpected(request.error());
  // Whoever is no member yet is not to remove any, nor to speak as an operator, who has no token.
  const auto* add = std::get_if<raft::AddServer>(&*request);
  if (add != nullptr && add->join_token == 0) return failure("a request to join has no token");
  if (add == nullptr && !std::holds_alternative<raft::MoveServer>(*request)) {
    return failure("a request to join asks for something else");
  }
  return JoinRequest{raft::ClusterId(from.getClusterId()), std::move(*request)};
}

Result<JoinReply> read_reply(proto::JoinReply::Reader from) {
  JoinReply reply{.cluster_id = raft::ClusterId(from.getClusterId()), .answer = {}};
  switch (from.which()) {
    case proto::JoinReply::ANSWER: {
      auto answer = read_admin_answer(from.getAnswer());
      if (!answer) return std::unexpected(answer.error());
      reply.answer = std::move(*answer);
      return reply;
    }
    case proto::JoinReply::NOT_NOW:
      reply.answer = NotNow{std::string(wire::as_text(from.getNotNow()))};
      return reply;
  }
  return failure("an answer to a joining server is of a kind that this version does not know");
}

Result<JoinToken> read_token(proto::JoinToken::Reader from) {
  auto id = read_server_id(from.getServerId());
  if (!id) return std::unexpected(id.error());
  // Zero is an operator's, which any server may claim.
  if (from.getToken() == 0) return failure("the token is zero");
  return JoinToken{std::move(*id), from.getToken()};
}

}  // namespace

Bytes encode_join_request(const JoinRequest& request) {
  return encode_frame<proto::JoinRequest>(kGuessBytes, [&](auto to) {
    to.setClusterId(request.cluster_id.value());
    write_admin_request(to.initRequest(), request.request);
  });
}

Result<JoinRequest> decode_join_request(const Bytes& frame) {
  return decode_frame<proto::JoinRequest>(frame, read_request);
}

Bytes encode_join_reply(const JoinReply& reply) {
  return encode_frame<proto::JoinReply>(kGuessBytes, [&](auto to) {
    to.setClusterId(reply.cluster_id.value());
    if (const auto* answer = std::get_if<raft::AdminAnswer>(&reply.answer)) {
      write_admin_answer(to.initAnswer(), *answer);
    } else {
      to.setNotNow(wire::as_capnp(std::get<NotNow>(reply.answer).reason));
    }
  });
}

Result<JoinReply> decode_join_reply(const Bytes& frame) {
  return decode_frame<proto::JoinReply>(frame, read_reply);
}

Bytes encode_join_token(const JoinToken& token) {
  return encode_frame<proto::JoinToken>(kGuessBytes, [&](auto to) {
    to.setServerId(wire::as_capnp(token.id.name()));
    to.setToken(token.token);
  });
}

Result<JoinToken> decode_join_token(const Bytes& frame) {
  return decode_frame<proto::JoinToken>(frame, read_token);
}

}  // namespace anchor::codec
