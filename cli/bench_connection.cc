#include "cli/bench_connection.h"

#include <algorithm>
#include <utility>

#include "core/base/assert.h"
#include "io/uv_support.h"

namespace anchor::cli {
namespace {

BenchConnection& self(void* data) {
  return *static_cast<BenchConnection*>(data);
}

}  // namespace

Instant bench_now() {
  return Instant(std::chrono::duration_cast<Duration>(std::chrono::nanoseconds(uv_hrtime())));
}

std::optional<Instant> BenchConnection::waiting_since() const {
  if (state_ == State::kConnecting) return connecting_since_;
  if (in_flight_.empty()) return std::nullopt;
  return in_flight_.front().sent;
}

void BenchConnection::open(const BenchEndpoint& endpoint) {
  ANCHOR_ASSERT(closed());
  codec_.emplace(endpoint.host);
  output_.clear();
  uv_tcp_init(loop_, &tcp_);
  tcp_.data = connect_request_.data = write_request_.data = this;
  uv_tcp_nodelay(&tcp_, 1);
  state_ = State::kConnecting;
  connecting_since_ = bench_now();
  const int error = uv_tcp_connect(
      &connect_request_, &tcp_, reinterpret_cast<const sockaddr*>(&endpoint.address),
      [](uv_connect_t* request, int status) { self(request->data).connected(status); });
  if (error != 0) fail(uv_strerror(error));
}

void BenchConnection::connected(int status) {
  if (state_ != State::kConnecting) return;
  if (status != 0) return fail(uv_strerror(status));
  state_ = State::kOpen;
  uv_read_start(
      io::as_uv_stream(tcp_),
      [](uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
        const std::span<char> room = self(handle->data).read_buffer_;
        *buffer = uv_buf_init(room.data(), static_cast<unsigned>(room.size()));
      },
      [](uv_stream_t* stream, ssize_t size_or_error, const uv_buf_t*) {
        self(stream->data).received(size_or_error);
      });
  observer_.opened(*this);
}

void BenchConnection::send(const BenchRequest& request, Instant due, Instant now) {
  ANCHOR_ASSERT(is_open());
  workload_.append(request, *codec_, output_);
  in_flight_.push_back({request, due, now});
}

void BenchConnection::flush() {
  if (!is_open() || output_.empty() || !writing_.empty()) return;
  auto* const stream = io::as_uv_stream(tcp_);
  uv_buf_t buffer = uv_buf_init(output_.data(), static_cast<unsigned>(output_.size()));
  const int written = uv_try_write(stream, &buffer, 1);
  if (written == static_cast<int>(output_.size())) return output_.clear();
  if (written < 0 && written != UV_EAGAIN) return fail(uv_strerror(written));
  std::swap(output_, writing_);
  const auto done = static_cast<std::size_t>(std::max(written, 0));
  buffer = uv_buf_init(writing_.data() + done, static_cast<unsigned>(writing_.size() - done));
  const int error =
      uv_write(&write_request_, stream, &buffer, 1, [](uv_write_t* request, int status) {
        BenchConnection& connection = self(request->data);
        connection.writing_.clear();
        if (!connection.is_open()) return;
        if (status != 0) return connection.fail(uv_strerror(status));
        connection.flush();
      });
  if (error != 0) fail(uv_strerror(error));
}

void BenchConnection::received(ssize_t size_or_error) {
  if (!is_open() || size_or_error == 0) return;
  if (size_or_error < 0) {
    return fail(size_or_error == UV_EOF ? "the server closed the connection"
                                        : uv_strerror(static_cast<int>(size_or_error)));
  }
  take_replies({read_buffer_.data(), static_cast<std::size_t>(size_or_error)});
}

void BenchConnection::take_replies(std::string_view bytes) {
  const Instant now = bench_now();
  while (!bytes.empty()) {
    const auto parsed = codec_->parse(bytes);
    if (const auto* error = std::get_if<Error>(&parsed)) return fail(error->message);
    const auto* reply = std::get_if<io::HttpReply>(&parsed);
    if (reply == nullptr) break;
    const InFlight request = in_flight_.front();
    in_flight_.pop_front();
    observer_.answered(*this, request, *reply, now);
    if (!is_open()) return;
    if (!reply->keep_alive) return fail("the server closed the connection");
  }
  observer_.caught_up(*this, now);
}

void BenchConnection::close() {
  if (state_ == State::kClosed || state_ == State::kClosing) return;
  state_ = State::kClosing;
  in_flight_.clear();
  uv_close(io::as_uv_handle(tcp_), [](uv_handle_t* handle) {
    BenchConnection& connection = self(handle->data);
    connection.writing_.clear();
    connection.state_ = State::kClosed;
  });
}

void BenchConnection::fail(std::string_view cause) {
  if (state_ == State::kClosed || state_ == State::kClosing) return;
  const std::deque<InFlight> unanswered = std::exchange(in_flight_, {});
  const std::string text(cause);  // the codec's, perhaps
  close();
  observer_.lost(*this, text, unanswered);
}

}  // namespace anchor::cli
