#pragma once

#include <capnp/rpc-twoparty.h>
#include <capnp/rpc.h>

#include "io/kj_stream.h"
#include "io/peer_context.h"
#include "proto/peer.capnp.h"

namespace anchor::io {

// What may come over a connection before its handshake: enough for that, and for the founding
// protocol.
inline constexpr std::size_t kBytesBeforeHandshake = 64 << 10;

// The bounds of a message of RPC, in both directions: KJ does not send what it would not take.
capnp::ReaderOptions rpc_limits(const PeerTransportOptions& options);

void write_hello(const PeerMembership& membership, proto::Hello::Builder hello);
PeerHello read_hello(proto::Hello::Reader hello);

// One of libraries' exceptions in words.
std::string describe(const kj::Exception& exception);

// A connection that was dialled, and the gate at its other end.
class GateConnection {
 public:
  GateConnection(kj::Own<KjStream> stream, const PeerTransportOptions& options);
  ~GateConnection() noexcept(false);

  proto::Gate::Client gate();
  // The handshake is done.
  void lift_input_limit() { stream_->lift_input_limit(); }
  kj::Promise<void> when_disconnected() { return network_.onDisconnect(); }

 private:
  kj::Own<KjStream> stream_;
  capnp::TwoPartyVatNetwork network_;
  capnp::RpcSystem<capnp::rpc::twoparty::VatId> system_;
};

}  // namespace anchor::io
