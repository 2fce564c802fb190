#pragma once

#include <uv.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/base/result.h"
#include "core/base/time.h"
#include "io/http_connection.h"
#include "io/http_message.h"
#include "io/http_output.h"
#include "io/tcp_listener.h"
#include "io/uv_support.h"

namespace anchor::io {

struct HttpServerOptions {
  HttpLimits limits{};
  // More are told 503 and closed; as long as there are not as many of these again.
  std::size_t connection_count = 16384;
  // About so much is read in one turn of the loop, from all connections together, and as much is
  // made of answers in parts: whatever else the loop serves, be it a leader's heartbeats, is not to
  // wait for more.
  std::size_t turn_bytes = 1 << 20;
  // Requests and answers that are held, for all connections: with more of them the server is
  // crowded. With twice as many, connections are closed, those that hold the most first.
  std::size_t held_bytes = 256 << 20;
  // A connection could not be accepted. May be empty.
  std::function<void(const Error&)> accept_failed{};
};

// HTTP over TCP on a libuv loop; everything happens on the loop's thread. All answers of a turn of
// the loop leave in one write for each connection.
class HttpServer {
 public:
  // `loop` and `handler` must outlive the server.
  HttpServer(uv_loop_t* loop, const HttpServerOptions& options, HttpHandler& handler);
  // Requires: closed.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Port 0 is any free one. Requires: not listening yet.
  Result<void> listen(const std::string& host, std::uint16_t port);
  // The port that it listens on; zero if it does not.
  std::uint16_t port() const { return port_; }

  // Answers a request. If its connection is gone, so is the answer.
  void respond(HttpTicket ticket, HttpResponse response);
  // There is more of an answer in parts that had no more for a while. No effect if its connection
  // is gone, or its turn has not come.
  void resume(HttpTicket ticket);
  // Clients take their answers more slowly than these are made: nobody is to ask for a large one.
  bool crowded() const { return held_bytes_ >= options_.held_bytes; }
  // Writes what is to be written. It happens by itself in every turn of the loop, but sooner this
  // way. It may call the handler, with requests that had to wait for room.
  void flush();

  // The end comes in three steps, so that no request is cut off that a client could not know to be
  // futile. From now on each connection ends with the answer to its next request; it listens on.
  void begin_drain();
  // Nobody else can connect; whoever has may still send its request.
  void stop_listening();
  // Closes what is idle, lets what is in flight come to its end, then calls `drained`.
  void drain(std::function<void()> drained);
  // Ends everything at once; calls `closed` when the loop holds nothing of it any more.
  void close(std::function<void()> closed);

  std::size_t connection_count() const { return connections_.size(); }

 private:
  struct Connection;

  Instant now() const { return Instant(std::chrono::milliseconds(uv_now(loop_))); }
  void accept(const TcpAccept& into);
  void turn_away(Connection& connection);
  unsigned share_of_turn() const;
  void received(Connection& connection, ssize_t size_or_error);
  void write(Connection& connection);
  void write_done(Connection& connection, int status);
  void await_part(Connection& connection);
  // Makes the next parts of answers, as many as a turn has room for.
  void make_parts();
  void after_progress(Connection& connection);
  void mark_dirty(Connection& connection);
  // After whatever changes what the connection holds.
  void count_held(Connection& connection);
  void make_room();
  void close_connection(Connection& connection);
  void sweep();
  void update_common_lines();
  void report_drained();
  template <typename Handle>
  void close_handle(Handle& handle);

  uv_loop_t* loop_;
  const HttpServerOptions options_;
  HttpHandler& handler_;

  HandleCount open_handles_;
  std::unique_ptr<TcpListener> listener_;
  // Before and after the loop waits: whatever was answered in between leaves.
  uv_prepare_t prepare_{};
  uv_check_t check_{};
  // The loop does not wait while there are parts to make.
  uv_idle_t more_parts_{};
  uv_timer_t sweep_timer_{};
  bool draining_ = false;
  bool closing_ = false;
  std::uint16_t port_ = 0;

  std::unordered_map<std::uint64_t, std::unique_ptr<Connection>> connections_;
  std::uint64_t last_id_ = 0;
  std::size_t held_bytes_ = 0;         // the sum over the connections
  std::size_t turned_away_count_ = 0;  // of those in connections_
  std::vector<Connection*> dirty_;
  // Those that have waited for longer first.
  std::deque<Connection*> awaiting_parts_;
  bool flushing_ = false;
  std::string common_lines_;

  // libuv asks for a buffer and fills it in one go, so that one serves all connections.
  static constexpr unsigned kReadBufferBytes = 64 << 10;
  std::uint64_t turn_ = 1;
  std::array<char, kReadBufferBytes> read_buffer_;
  std::vector<ByteView> pieces_;
  std::vector<uv_buf_t> buffers_;

  std::function<void()> drained_;
};

}  // namespace anchor::io
