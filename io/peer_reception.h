#pragma once

#include <capnp/rpc-twoparty.h>
#include <capnp/rpc.h>
#include <kj/async.h>
#include <kj/refcount.h>

#include <optional>
#include <string>

#include "io/kj_stream.h"
#include "io/peer_context.h"
#include "proto/peer.capnp.h"

namespace anchor::io {

// A connection that somebody made to us. Nothing that comes over it is trusted: it costs a bounded
// amount, must bring a handshake soon, and is cut off at the first thing that is not in order.
class PeerReception {
 public:
  // `context` must outlive it.
  PeerReception(PeerContext& context, kj::Own<KjStream> stream);
  ~PeerReception() noexcept(false);
  PeerReception(const PeerReception&) = delete;
  PeerReception& operator=(const PeerReception&) = delete;

  // Comes true when the connection has ended, however. Call once.
  kj::Promise<void> until_ended();
  // Who it is, once welcomed.
  const std::optional<PeerHello>& sender() const { return sender_; }
  // Ends it, and tells the handler why.
  void cut_off(const std::string& reason);
  // Ends it: nothing that comes over it is heard any more.
  void end();

 private:
  class Gate;
  class Peer;
  // RPC may hold our capabilities for a few events longer than we live.
  struct Owner : kj::Refcounted {
    PeerReception* reception = nullptr;
    PeerReception& get();
  };

  // Why it is not welcome; null if it is.
  std::optional<PeerRefusal> welcome(const PeerHello& hello, const raft::ServerId& receiver);
  std::optional<PeerRefusal> objection(const PeerHello& hello, const raft::ServerId& receiver);
  // Cuts it off, unless a handshake comes in time.
  kj::Promise<void> await_handshake();
  void take_in(proto::Peer::DeliverParams::Reader call);
  void end_earlier_connections(const raft::ServerId& sender);

  PeerContext& context_;
  kj::Own<KjStream> stream_;
  const std::string address_;
  kj::Own<Owner> owner_;
  capnp::TwoPartyVatNetwork network_;
  capnp::RpcSystem<capnp::rpc::twoparty::VatId> system_;

  std::optional<PeerHello> sender_;
  // A request to join waits for its answer.
  bool joining_ = false;
  bool ended_ = false;
  kj::Own<kj::PromiseFulfiller<void>> end_;
  kj::Promise<void> when_ended_ = nullptr;
};

}  // namespace anchor::io
