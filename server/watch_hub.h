#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "core/kv/store.h"
#include "core/watches.h"
#include "io/http_server.h"
#include "server/watch_request.h"

namespace anchor::server {

// The watches of this node's clients, each an answer without an end. Events are made when the
// client has taken those before, straight from the store's history: nothing is buffered but what is
// on its way to the socket.
class WatchHub {
 public:
  // Within so long each stream says something, if only that it is there.
  static constexpr Duration kHeartbeatInterval = 10s;
  // How often beat() is to be called.
  static constexpr Duration kBeatInterval = 100ms;

  // Both must outlive the hub.
  WatchHub(const kv::Store& store, io::HttpServer& http);
  ~WatchHub() { streams_->store = nullptr; }
  WatchHub(const WatchHub&) = delete;
  WatchHub& operator=(const WatchHub&) = delete;

  // Answers the request with a stream of what is watched, from the revision on.
  void open(const WatchRequest& request, kv::Revision from, io::HttpTicket ticket);
  // The store may have changed.
  void notice();
  // Lets some of those that have been silent say that they are there, each in its turn.
  void beat();
  // Ends all streams that there are: clients come back, or go elsewhere, with the last id that they
  // saw.
  void end();

  std::size_t size() const { return streams_->of.size(); }

 private:
  struct Stream {
    io::HttpTicket ticket;
    bool previous = false;
    bool progress = false;
    bool beat_due = false;
    bool ended = false;
  };
  // Shared with the answers, which the HTTP server may drop after the hub is gone.
  struct Streams {
    const kv::Store* store;  // null: the hub is gone
    Watches watches{};
    std::map<WatchId, Stream> of{};
  };
  // One stream's body; once it is dropped, so is the watch.
  class Body;

  io::HttpServer& http_;
  std::shared_ptr<Streams> streams_;
  // In the round of kHeartbeatInterval: how often beat() was called, and whose turn was last.
  std::size_t beats_ = 0;
  WatchId beaten_;
};

}  // namespace anchor::server
