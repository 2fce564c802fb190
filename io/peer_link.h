#pragma once

#include <kj/async.h>

#include <cstddef>
#include <deque>
#include <string>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/time.h"
#include "core/raft/types.h"
#include "io/kj_event_port.h"
#include "io/peer_context.h"

namespace anchor::io {

// The way to one peer: a connection that is made again whenever it breaks, and what waits to be
// sent over it.
class PeerLink final : private Flushable {
 public:
  // `context` must outlive the link. Destroy it only where no promise is running, as in a flush().
  PeerLink(PeerContext& context, raft::ServerId peer, std::string address);
  ~PeerLink() noexcept override;

  const std::string& address() const { return address_; }
  bool connected() const { return connection_ != nullptr; }
  // Queues a message.
  void send(Bytes frame);

 private:
  class Connection;

  kj::Promise<void> keep_connected();
  kj::Promise<void> connect_once();
  void failed(const std::string& reason);
  void disconnected();
  void taken_in();
  Duration next_backoff();
  void flush() override;
  std::vector<Bytes> next_batch(std::size_t& batch_bytes);

  PeerContext& context_;
  const raft::ServerId peer_;
  const std::string address_;

  std::deque<Bytes> queue_;
  std::size_t queued_bytes_ = 0;
  Connection* connection_ = nullptr;  // while it is up
  bool was_connected_ = false;        // in the present attempt
  bool sent_something_ = false;       // over the present connection
  Duration backoff_;

  kj::Promise<void> task_;
};

}  // namespace anchor::io
