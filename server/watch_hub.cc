#include "server/watch_hub.h"

#include <utility>

#include "server/watch_events.h"

namespace anchor::server {

class WatchHub::Body {
 public:
  Body(std::shared_ptr<Streams> streams, WatchId id) : streams_(std::move(streams)), id_(id) {}
  ~Body() {
    streams_->watches.close(id_);
    streams_->of.erase(id_);
  }
  Body(const Body&) = delete;
  Body& operator=(const Body&) = delete;

  std::optional<std::string> next() {
    Stream& stream = streams_->of.at(id_);
    if (streams_->store == nullptr || stream.ended) return std::nullopt;
    std::string part;
    const auto read = streams_->watches.read(id_, *streams_->store, kPartBytes);
    if (const auto* resync = std::get_if<Watches::Resync>(&read)) {
      append_resync(part, *resync);
      stream.ended = true;
      return part;
    }
    const auto& [events, revision, more] = std::get<Watches::Events>(read);
    for (const Watches::Event& event : events) append_event(part, event, stream.previous);
    // A long history is looked through piece by piece, and others come in between.
    if (part.empty() && (more || std::exchange(stream.beat_due, false))) {
      if (stream.progress && !more) {
        append_progress(part, revision);
      } else {
        append_heartbeat(part);
      }
    }
    return part;
  }

 private:
  // A part is made in one go, while all else waits.
  static constexpr std::size_t kPartBytes = 64 << 10;

  std::shared_ptr<Streams> streams_;
  WatchId id_;
};

WatchHub::WatchHub(const kv::Store& store, io::HttpServer& http)
    : http_(http), streams_(std::make_shared<Streams>(&store)) {}

void WatchHub::open(const WatchRequest& request, kv::Revision from, io::HttpTicket ticket) {
  // Before that it would be told of what it did not ask for.
  notice();
  const WatchId id = streams_->watches.open(request.keys, from);
  streams_->of.emplace(
      id, Stream{.ticket = ticket, .previous = request.previous, .progress = request.progress});
  io::HttpResponse response;
  response.add_header("Content-Type", "text/event-stream");
  response.add_header("Cache-Control", "no-store");
  response.add_header("Anchor-Revision", streams_->store->revision().value());
  response.body =
      io::HttpParts([body = std::make_unique<Body>(streams_, id)] { return body->next(); });
  http_.respond(ticket, std::move(response));
}

void WatchHub::notice() {
  for (const WatchId id : streams_->watches.notice(*streams_->store)) {
    http_.resume(streams_->of.at(id).ticket);
  }
}

void WatchHub::beat() {
  constexpr std::size_t kTurns = kHeartbeatInterval / kBeatInterval;
  const bool last = ++beats_ == kTurns;
  for (std::size_t left = last ? streams_->of.size() : streams_->of.size() / kTurns + 1; left > 0;
       --left) {
    const auto next = streams_->of.upper_bound(beaten_);
    if (next == streams_->of.end()) break;
    beaten_ = next->first;
    next->second.beat_due = true;
    http_.resume(next->second.ticket);
  }
  if (!last) return;
  beats_ = 0;
  beaten_ = WatchId();
}

void WatchHub::end() {
  for (auto& [id, stream] : streams_->of) {
    stream.ended = true;
    http_.resume(stream.ticket);
  }
}

}  // namespace anchor::server
