#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/random.h"
#include "core/base/result.h"
#include "core/base/time.h"
#include "core/raft/message.h"
#include "io/kj_event_port.h"
#include "io/uv_support.h"

namespace anchor::io {

class PeerReception;

// The version of the protocol between servers, as the handshake tells it.
inline constexpr std::uint32_t kPeerProtocolVersion = 1;

struct PeerTransportOptions {
  // To resolve a name and connect.
  Duration connect_timeout = 2s;
  // For a server to answer a handshake, and for a client to begin one.
  Duration handshake_timeout = 2s;
  // Between attempts to connect; doubled after each, drawn from the upper half.
  Duration backoff_min = 50ms;
  Duration backoff_max = 1s;
  // A larger message is not sent; a connection that brings one is cut off.
  std::size_t frame_bytes = 8 << 20;
  // What may wait for a peer and be on its way to it. Beyond it the oldest that waits is lost.
  std::size_t queue_bytes = 64 << 20;
  // Calls that may be on their way to a peer.
  std::size_t calls_in_flight = 16;
  // Incoming connections. One more takes the place of the oldest without a handshake, or is closed
  // if there is none.
  std::size_t connections = 64;
  // Of the draws for the back-off.
  std::uint64_t seed = 0;
};

// What a server said about itself.
struct PeerHello {
  std::uint32_t protocol_version = 0;
  raft::ClusterId cluster_id;
  raft::Peer peer;
  raft::Boot boot;
  std::string address;  // where others reach it, as it says
};

// Why a handshake is refused.
struct PeerRefusal {
  std::string reason;
  // The committed configuration, of that index, has left the sender out: it will not be heard
  // again, and need not come back.
  std::optional<raft::Index> removed_at{};
};

// Called on the loop's thread. Each may call the transport, also its close().
class PeerTransportHandler {
 public:
  virtual ~PeerTransportHandler() = default;

  // It is for this server, of its cluster, and from whom it says.
  virtual void on_message(raft::Message message) = 0;
  // A connection from somebody could not be accepted.
  virtual void on_accept_failed(const Error& error) = 0;
  // An attempt to connect came to nothing. Tried again and again.
  virtual void on_connect_failed(const raft::ServerId& peer, const Error& error) = 0;
  // An outgoing connection broke after messages were sent over it: they may be lost.
  virtual void on_peer_unreachable(const raft::ServerId& peer) = 0;
  // Why not to take messages from this server, which took us for `receiver`; null if it is welcome.
  virtual std::optional<PeerRefusal> refuse(const PeerHello& hello,
                                            const raft::ServerId& receiver) = 0;
  // The peer will not take messages from us, or is not who we took it for. Tried again later.
  virtual void on_refused(const raft::ServerId& peer, const std::string& reason) = 0;
  // The peer, a member of our cluster, says that we are a member no more, since the configuration
  // of this index.
  virtual void on_removed(const PeerHello& peer, raft::Index configuration_index) = 0;
  // A connection from `address` was cut off, for what came over it.
  virtual void on_cut_off(const std::string& address, const std::string& reason) = 0;
  // The answer to a message of the founding protocol.
  virtual Bytes on_founding_message(const Bytes& message) = 0;
  // Somebody asks to join, or to be found elsewhere. `reply` is to be called once; after that, or
  // when the connection is gone meanwhile, it does nothing.
  virtual void on_join_message(const Bytes& message, std::function<void(Bytes)> reply) = 0;
};

// Who this server is in its cluster.
struct PeerMembership {
  raft::ClusterId cluster_id;
  raft::Peer self;
  raft::Boot boot;
  std::string address;
};

// What a transport's parts share. Outlives them.
struct PeerContext {
  KjEventPort& port;
  const PeerTransportOptions options;
  PeerTransportHandler& handler;
  Random random;
  std::optional<PeerMembership> membership{};
  HandleCount open_handles{};
  // The handler is not called any more.
  bool closing = false;
  // Those that there are, the oldest first.
  std::vector<PeerReception*> receptions{};
};

}  // namespace anchor::io
