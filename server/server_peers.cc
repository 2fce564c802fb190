#include <utility>

#include "core/codec/founding_codec.h"
#include "core/codec/joining_codec.h"
#include "server/server.h"

// What a server hears from others, and tells them.
namespace anchor::server {
namespace {

// The entry that founds a cluster.
constexpr raft::Index kFounding{1};

}  // namespace

void Server::on_message(raft::Message message) {
  if (node_) node_->take(std::move(message));
}

void Server::on_accept_failed(const Error& error) {
  if (accept_failures_.admits(loop_now())) log_.warn(error.message);
}

void Server::on_connect_failed(const raft::ServerId& peer, const Error& error) {
  warn_once(peer, error.message);
}

void Server::on_peer_unreachable(const raft::ServerId& peer) {
  last_troubles_.erase(peer);
  log_.warn("lost the connection to " + peer.name());
  if (node_) node_->take_unreachable(peer);
}

std::optional<io::PeerRefusal> Server::refuse(const io::PeerHello& hello,
                                              const raft::ServerId& receiver) {
  if (!node_) return io::PeerRefusal{id_ + " belongs to no cluster yet"};
  const raft::Raft& raft = node_->raft();
  if (receiver != raft.state().self.id) {
    return io::PeerRefusal{"this is " + id_ + ", not " + receiver.name()};
  }
  if (hello.cluster_id == raft.state().cluster_id) return node_->refuse(hello);
  // It takes this server for a member of its own cluster, whose disk was lost, then: what was
  // founded here meanwhile must not be taken for that cluster.
  const bool founded_alone =
      raft.configuration().members.size() == 1 && raft.log().configuration_index() == kFounding;
  if (founded_alone) {
    fail(kExitIdentity, hello.peer.id.name() + " belongs to another cluster, which has a member " +
                            id_ + ": this directory is not that member's. Remove " + id_ +
                            " from that cluster, and let it join again with an empty directory");
  }
  return io::PeerRefusal{id_ + " belongs to another cluster"};
}

void Server::on_removed(const io::PeerHello& peer, raft::Index configuration_index) {
  if (node_) node_->take_removal(peer, configuration_index);
}

void Server::on_refused(const raft::ServerId& peer, const std::string& reason) {
  warn_once(peer, peer.name() + " refuses messages from this server: " + reason);
}

void Server::warn_once(const raft::ServerId& peer, const std::string& trouble) {
  std::string& last = last_troubles_[peer];
  if (last == trouble) return;
  last = trouble;
  log_.warn(trouble);
}

void Server::on_cut_off(const std::string& address, const std::string& reason) {
  if (!cut_offs_.admits(loop_now())) return;
  log_.warn("cut off a connection from " + address + ": " + reason);
}

void Server::tell_left_out() {
  const std::uint64_t count = cut_offs_.take_left_out(loop_now());
  if (count > 0) log_.warn("cut off more connections", Fields().add("count", count));
}

Bytes Server::on_founding_message(const Bytes& message) {
  if (founder_ && !node_) return founder_->answer(message);
  if (joiner_ && !node_) {
    return codec::encode_founding_reply(FoundingRefused{id_ + " is about to join a cluster"});
  }
  const auto request = codec::decode_founding_request(message);
  if (!node_ || !request) {
    return codec::encode_founding_reply(FoundingRefused{"not a founding request"});
  }
  const raft::State& state = node_->raft().state();
  return codec::encode_founding_reply(
      answer_as_member(state.cluster_id, state.self.id, node_->raft().configuration(), *request));
}

void Server::on_join_message(const Bytes& message, std::function<void(Bytes)> reply) {
  const auto answer = [reply = std::move(reply)](const JoinReply& answered) {
    reply(codec::encode_join_reply(answered));
  };
  auto request = codec::decode_join_request(message);
  if (!request) return answer({{}, NotNow{request.error().message}});
  if (!node_) return answer({{}, NotNow{id_ + " belongs to no cluster yet"}});
  if (draining_) {
    return answer({node_->raft().state().cluster_id, NotNow{id_ + " is shutting down"}});
  }
  node_->take(std::move(*request), answer);
}

}  // namespace anchor::server
