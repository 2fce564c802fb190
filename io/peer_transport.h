#pragma once

#include <kj/async.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/base/time.h"
#include "core/raft/message.h"
#include "io/kj_event_port.h"
#include "io/peer_context.h"
#include "io/tcp_listener.h"
#include "io/uv_support.h"

namespace anchor::io {

class PeerLink;
class PeerReception;

// Carries messages between servers: over one connection for each direction and peer, which the one
// that sends dials, keeps and makes again. Messages may be lost, as Raft allows, but those that
// arrive over one connection arrive whole and in order. Everything happens on the loop's thread.
class PeerTransport final : private Flushable, private kj::TaskSet::ErrorHandler {
 public:
  // `port` and `handler` must outlive the transport.
  PeerTransport(KjEventPort& port, const PeerTransportOptions& options,
                PeerTransportHandler& handler);
  // Requires: closed.
  ~PeerTransport() noexcept override;

  // Port 0 is any free one. Until join_cluster() only the founding protocol is served, and every
  // handshake is refused. Requires: not listening yet.
  Result<void> listen(const std::string& host, std::uint16_t port);
  // The port that it listens on. Requires: listening.
  std::uint16_t port() const { return listener_->port(); }

  // Who this server is from now on, and where others reach it. Requires: called once.
  void join_cluster(raft::ClusterId cluster_id, raft::Peer self, raft::Boot boot,
                    std::string address);
  // Where the peer, over the connection that it has to this server, says that it is; null if it has
  // none. Valid until the port turns.
  const std::string* address_said_by(const raft::Peer& peer) const;
  // The addresses ("host:port") of all servers to send to; this one is left out of them. Whoever is
  // not named any more is not sent to. Requires: joined.
  void set_peers(const std::map<raft::ServerId, std::string>& addresses);
  // Takes a message for `message.to`; it leaves at the end of the loop's turn, with all others for
  // the same peer. Lost if that is no peer, or too much is waiting for it already. Requires:
  // joined, and the message is from this server.
  void send(const raft::Message& message);
  // Whether messages leave for the peer at once.
  bool connected(const raft::ServerId& peer) const;

  // Asks the server at `address` ("host:port") in the founding protocol. Calls `answered` once,
  // unless the transport is closed before.
  void call_found(const std::string& address, Bytes message, Duration timeout,
                  std::function<void(Result<Bytes>)> answered);

  // The same, of a member of a cluster, to join it (core/joining.h).
  void call_join(const std::string& address, Bytes message, Duration timeout,
                 std::function<void(Result<Bytes>)> answered);

  // Ends the connections of those senders for whom `unwelcome` is true. They will dial again, and
  // be told why they are refused.
  void end_connections(const std::function<bool(const PeerHello&)>& unwelcome);

  // Ends everything. After this it calls nobody but `closed`, when the loop holds nothing of it any
  // more.
  void close(std::function<void()> closed);

 private:
  template <typename Ask>
  void call(const std::string& address, Bytes message, Duration timeout,
            std::function<void(Result<Bytes>)> answered, Ask ask);
  void accept(const TcpAccept& into);
  bool make_room();
  void flush() override;
  void taskFailed(kj::Exception&& exception) override;

  PeerContext context_;
  std::unique_ptr<TcpListener> listener_;

  std::map<raft::ServerId, std::unique_ptr<PeerLink>> links_;
  // To be destroyed where no promise of theirs is running.
  std::vector<std::unique_ptr<PeerLink>> removed_links_;

  // Connections that others made, and calls of call_found(); empty once closed.
  std::optional<kj::TaskSet> tasks_;
  std::function<void()> closed_;
};

}  // namespace anchor::io
