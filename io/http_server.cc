#include "io/http_server.h"

#include <algorithm>
#include <ctime>
#include <utility>

#include "core/base/assert.h"

namespace anchor::io {
namespace {

constexpr std::uint64_t kSweepIntervalMs = 500;

// libuv takes buffers to be written without const, and does not write to them.
void to_uv_buffers(const std::vector<ByteView>& pieces, std::vector<uv_buf_t>& buffers) {
  buffers.clear();
  for (const ByteView piece : pieces) {
    auto* data = const_cast<char*>(reinterpret_cast<const char*>(piece.data()));
    buffers.push_back(uv_buf_init(data, static_cast<unsigned>(piece.size())));
  }
}

}  // namespace

// Lives until libuv has closed its handle.
struct HttpServer::Connection {
  Connection(HttpServer& owner, std::uint64_t connection_id)
      : server(owner),
        id(connection_id),
        http(connection_id, owner.options_.limits, owner.common_lines_, owner.handler_,
             owner.now()) {}

  // What is left of what it may be read in this turn.
  unsigned share_of_turn() {
    if (std::exchange(turn, server.turn_) != server.turn_) share = server.share_of_turn();
    return share;
  }

  HttpServer& server;
  const std::uint64_t id;
  std::uint64_t turn = 0;
  unsigned share = 0;
  uv_tcp_t tcp{};
  uv_write_t write_request{};
  uv_shutdown_t shutdown_request{};
  HttpConnection http;
  HttpOutput writing;          // empty unless a write is in flight
  std::size_t held_bytes = 0;  // as counted
  bool dirty = false;
  bool awaits_part = false;
  bool reading = false;
  bool input_ended = false;
  bool shut_down = false;
  bool closing = false;
  bool turned_away = false;
};

HttpServer::HttpServer(uv_loop_t* loop, const HttpServerOptions& options, HttpHandler& handler)
    : loop_(loop), options_(options), handler_(handler) {
  prepare_.data = check_.data = more_parts_.data = sweep_timer_.data = this;
  uv_prepare_init(loop_, &prepare_);
  uv_prepare_start(&prepare_,
                   [](uv_prepare_t* prepare) { static_cast<HttpServer*>(prepare->data)->flush(); });
  uv_check_init(loop_, &check_);
  uv_check_start(&check_, [](uv_check_t* check) {
    auto& server = *static_cast<HttpServer*>(check->data);
    ++server.turn_;
    server.make_parts();
    server.flush();
  });
  uv_idle_init(loop_, &more_parts_);
  uv_timer_init(loop_, &sweep_timer_);
  uv_timer_start(
      &sweep_timer_, [](uv_timer_t* timer) { static_cast<HttpServer*>(timer->data)->sweep(); },
      kSweepIntervalMs, kSweepIntervalMs);
  for (int i = 0; i < 4; ++i) open_handles_.add();
  update_common_lines();
}

HttpServer::~HttpServer() {
  ANCHOR_ASSERT(closing_ && open_handles_.none());
}

Result<void> HttpServer::listen(const std::string& host, std::uint16_t port) {
  ANCHOR_ASSERT(!listener_ && !closing_);
  const auto failed = [this](const Error& error) {
    if (options_.accept_failed) options_.accept_failed(error);
  };
  auto listener = TcpListener::listen(
      loop_, open_handles_, host, port,
      {.waiting = [this](const TcpAccept& into) { accept(into); }, .failed = failed});
  if (!listener) return std::unexpected(listener.error());
  listener_ = std::move(*listener);
  port_ = listener_->port();
  return {};
}

void HttpServer::accept(const TcpAccept& into) {
  const std::uint64_t id = ++last_id_;
  Connection& connection = *(connections_[id] = std::make_unique<Connection>(*this, id));
  uv_tcp_init(loop_, &connection.tcp);
  open_handles_.add();
  connection.tcp.data = &connection;
  if (into(connection.tcp) != 0) {
    return close_connection(connection);
  }
  uv_tcp_nodelay(&connection.tcp, 1);
  const std::size_t served = connections_.size() - turned_away_count_;
  if (served > options_.connection_count) return turn_away(connection);
  // The last places are for one request each: so there is always one for a health check.
  const bool scarce = served > options_.connection_count - options_.connection_count / 64;
  if (draining_ || scarce) connection.http.drain(now());
  after_progress(connection);
}

// Its request is read all the same, to no effect: else it might be reset before it reads why.
void HttpServer::turn_away(Connection& connection) {
  connection.turned_away = true;
  if (++turned_away_count_ > options_.connection_count) return close_connection(connection);
  connection.http.turn_away({503, "overloaded", "too many connections"});
  after_progress(connection);
}

void HttpServer::respond(HttpTicket ticket, HttpResponse response) {
  const auto found = connections_.find(ticket.connection);
  if (found == connections_.end() || found->second->closing) return;
  Connection& connection = *found->second;
  connection.http.respond(ticket.sequence, std::move(response));
  count_held(connection);
  mark_dirty(connection);
}

void HttpServer::resume(HttpTicket ticket) {
  const auto found = connections_.find(ticket.connection);
  if (found == connections_.end()) return;
  found->second->http.resume(ticket.sequence);
  after_progress(*found->second);
}

void HttpServer::count_held(Connection& connection) {
  const std::size_t held = connection.http.held_bytes() + connection.writing.size_bytes();
  held_bytes_ += held - std::exchange(connection.held_bytes, held);
}

void HttpServer::mark_dirty(Connection& connection) {
  if (connection.dirty) return;
  connection.dirty = true;
  dirty_.push_back(&connection);
}

void HttpServer::flush() {
  if (flushing_) return;
  flushing_ = true;
  // By index: a request that goes on after a write may be answered at once, and adds to it.
  for (std::size_t i = 0; i < dirty_.size(); ++i) {
    Connection& connection = *dirty_[i];
    connection.dirty = false;
    write(connection);
  }
  dirty_.clear();
  flushing_ = false;
  make_room();
}

// Whoever holds the most goes first.
void HttpServer::make_room() {
  while (held_bytes_ >= 2 * options_.held_bytes) {
    Connection* most = nullptr;
    for (const auto& [id, connection] : connections_) {
      if (connection->closing) continue;
      if (most == nullptr || connection->held_bytes > most->held_bytes) most = connection.get();
    }
    if (most == nullptr) return;
    held_bytes_ -= std::exchange(most->held_bytes, 0);
    close_connection(*most);
  }
}

void HttpServer::write(Connection& connection) {
  if (connection.closing || !connection.writing.empty()) return;
  if (connection.http.part_due()) return await_part(connection);
  if (connection.http.has_output()) {
    connection.http.take_output(now(), connection.writing);
    connection.writing.collect(0, pieces_);
    to_uv_buffers(pieces_, buffers_);
    uv_stream_t* stream = as_uv_stream(connection.tcp);
    int written = uv_try_write(stream, buffers_.data(), static_cast<unsigned>(buffers_.size()));
    if (written == UV_EAGAIN) written = 0;
    if (written < 0) return close_connection(connection);
    if (static_cast<std::size_t>(written) < connection.writing.size_bytes()) {
      connection.writing.collect(static_cast<std::size_t>(written), pieces_);
      to_uv_buffers(pieces_, buffers_);
      connection.write_request.data = &connection;
      const int error =
          uv_write(&connection.write_request, stream, buffers_.data(),
                   static_cast<unsigned>(buffers_.size()), [](uv_write_t* request, int status) {
                     auto& written_to = *static_cast<Connection*>(request->data);
                     written_to.server.write_done(written_to, status);
                   });
      if (error != 0) close_connection(connection);
      return;
    }
    connection.writing.clear();
    connection.http.written(now());
  }
  after_progress(connection);
}

void HttpServer::write_done(Connection& connection, int status) {
  connection.writing.clear();
  if (connection.closing) return;
  if (status != 0) return close_connection(connection);
  connection.http.written(now());
  after_progress(connection);
}

void HttpServer::await_part(Connection& connection) {
  if (std::exchange(connection.awaits_part, true)) return;
  awaiting_parts_.push_back(&connection);
  uv_idle_start(&more_parts_, [](uv_idle_t*) {});
}

void HttpServer::make_parts() {
  // What a part costs at least, however little comes of it.
  constexpr std::size_t kPartCost = 4 << 10;
  std::size_t made = 0;
  while (!awaiting_parts_.empty() && made < options_.turn_bytes) {
    Connection& connection = *awaiting_parts_.front();
    awaiting_parts_.pop_front();
    connection.awaits_part = false;
    if (connection.closing) continue;
    const std::size_t before = connection.http.held_bytes();
    connection.http.make_part();
    const std::size_t after = connection.http.held_bytes();
    made += std::max(kPartCost, after - std::min(before, after));
    after_progress(connection);
  }
  if (awaiting_parts_.empty()) uv_idle_stop(&more_parts_);
}

// Does what the connection's state now asks for.
void HttpServer::after_progress(Connection& connection) {
  if (connection.closing) return;
  count_held(connection);
  if (connection.http.part_due()) {
    await_part(connection);
  } else if (connection.http.has_output()) {
    mark_dirty(connection);
  }

  const bool reads = connection.http.reads() && !connection.input_ended;
  if (reads && !connection.reading) {
    uv_read_start(
        as_uv_stream(connection.tcp),
        [](uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
          auto& reader = *static_cast<Connection*>(handle->data);
          *buffer = uv_buf_init(reader.server.read_buffer_.data(), reader.share_of_turn());
        },
        [](uv_stream_t* stream, ssize_t size_or_error, const uv_buf_t*) {
          auto& read_from = *static_cast<Connection*>(stream->data);
          read_from.server.received(read_from, size_or_error);
        });
  } else if (!reads && connection.reading) {
    uv_read_stop(as_uv_stream(connection.tcp));
  }
  connection.reading = reads;

  if (!connection.http.finished()) return;
  if (connection.input_ended) return close_connection(connection);
  if (connection.shut_down) return;
  connection.shut_down = true;
  const int error = uv_shutdown(&connection.shutdown_request, as_uv_stream(connection.tcp),
                                [](uv_shutdown_t*, int) {});
  if (error != 0) close_connection(connection);
}

// The same for all, so that none is put off for the sake of others; and not too little to be worth
// a turn.
unsigned HttpServer::share_of_turn() const {
  constexpr std::size_t kLeast = 4 << 10;
  const std::size_t share = options_.turn_bytes / connections_.size();
  return static_cast<unsigned>(std::clamp<std::size_t>(share, kLeast, kReadBufferBytes));
}

void HttpServer::received(Connection& connection, ssize_t size_or_error) {
  // Without room for it, it is read in the next turn.
  if (size_or_error == 0 || size_or_error == UV_ENOBUFS || connection.closing) return;
  if (size_or_error == UV_EOF) {
    connection.input_ended = true;
    connection.http.end_of_input();
  } else if (size_or_error < 0) {
    return close_connection(connection);
  } else {
    connection.share -= static_cast<unsigned>(size_or_error);
    connection.http.receive(now(), {read_buffer_.data(), static_cast<std::size_t>(size_or_error)});
  }
  after_progress(connection);
}

void HttpServer::sweep() {
  update_common_lines();
  for (auto& [id, connection] : connections_) {
    if (connection->closing) continue;
    if (connection->http.expire(now())) {
      close_connection(*connection);
    } else {
      after_progress(*connection);
    }
  }
}

// An origin server with a clock dates its answers (RFC 9110, 6.6.1).
void HttpServer::update_common_lines() {
  const std::time_t seconds = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  std::array<char, 64> line{};
  const std::size_t size =
      std::strftime(line.data(), line.size(), "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &utc);
  common_lines_.assign(line.data(), size);
}

void HttpServer::begin_drain() {
  draining_ = true;
  for (auto& [id, connection] : connections_) {
    if (connection->closing) continue;
    connection->http.drain(now());
    after_progress(*connection);
  }
}

void HttpServer::stop_listening() {
  if (!draining_) begin_drain();
  if (listener_) listener_->accept_waiting();
  listener_.reset();
}

void HttpServer::drain(std::function<void()> drained) {
  stop_listening();
  drained_ = std::move(drained);
  for (auto& [id, connection] : connections_) {
    if (connection->http.idle()) close_connection(*connection);
  }
  report_drained();
}

void HttpServer::report_drained() {
  if (drained_ && connections_.empty()) std::exchange(drained_, nullptr)();
}

void HttpServer::close(std::function<void()> closed) {
  ANCHOR_ASSERT(!closing_);
  closing_ = true;
  listener_.reset();
  close_handle(prepare_);
  close_handle(check_);
  close_handle(more_parts_);
  close_handle(sweep_timer_);
  for (auto& [id, connection] : connections_) close_connection(*connection);
  open_handles_.when_none_left(std::move(closed));
}

void HttpServer::close_connection(Connection& connection) {
  if (connection.closing) return;
  connection.closing = true;
  connection.http.abandon();
  uv_close(as_uv_handle(connection.tcp), [](uv_handle_t* handle) {
    auto& gone = *static_cast<Connection*>(handle->data);
    HttpServer& server = gone.server;
    if (gone.dirty) std::erase(server.dirty_, &gone);
    std::erase(server.awaiting_parts_, &gone);
    server.turned_away_count_ -= gone.turned_away ? 1 : 0;
    server.held_bytes_ -= gone.held_bytes;
    server.connections_.erase(gone.id);
    server.report_drained();
    // Last, as it may be the end of the server.
    server.open_handles_.remove();
  });
}

template <typename Handle>
void HttpServer::close_handle(Handle& handle) {
  uv_close(as_uv_handle(handle), [](uv_handle_t* closed) {
    static_cast<HttpServer*>(closed->data)->open_handles_.remove();
  });
}

}  // namespace anchor::io
