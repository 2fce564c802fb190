#pragma once

#include <uv.h>

#include <cstddef>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "cli/bench_workload.h"
#include "core/base/time.h"
#include "io/http_client_codec.h"

namespace anchor::cli {

struct BenchEndpoint {
  std::string host;  // host:port, for the header
  sockaddr_storage address{};
};

// The time, of the clock that measures latencies.
Instant bench_now();

// A keep-alive connection with any number of requests in flight. All requests of one turn of the
// loop leave in one write.
class BenchConnection {
 public:
  struct InFlight {
    BenchRequest request{};
    // From when on its latency counts.
    Instant due{};
    Instant sent{};
  };

  class Observer {
   public:
    virtual ~Observer() = default;
    virtual void opened(BenchConnection& connection) = 0;
    virtual void answered(BenchConnection& connection, const InFlight& request,
                          const io::HttpReply& reply, Instant now) = 0;
    // All that had arrived is told: the time to send more.
    virtual void caught_up(BenchConnection& connection, Instant now) = 0;
    // What was in flight will have no answer. The connection can be opened again.
    virtual void lost(BenchConnection& connection, std::string_view cause,
                      const std::deque<InFlight>& unanswered) = 0;
  };

  // `id` is the observer's name for it. All else must outlive the connection; `read_buffer` may be
  // shared by all connections of a loop.
  BenchConnection(std::size_t id, uv_loop_t* loop, Observer& observer, BenchWorkload& workload,
                  std::span<char> read_buffer)
      : id_(id), loop_(loop), observer_(observer), workload_(workload), read_buffer_(read_buffer) {}
  // Requires: closed.
  ~BenchConnection() { ANCHOR_ASSERT(state_ == State::kClosed); }
  BenchConnection(const BenchConnection&) = delete;
  BenchConnection& operator=(const BenchConnection&) = delete;

  // Requires: closed. Says opened() or lost() later.
  void open(const BenchEndpoint& endpoint);
  // Requires: open.
  void send(const BenchRequest& request, Instant due, Instant now);
  // Writes what send() gathered.
  void flush();
  // Says nothing to the observer.
  void close();
  // Closes and says lost().
  void fail(std::string_view cause);

  std::size_t id() const { return id_; }
  bool closed() const { return state_ == State::kClosed; }
  bool is_open() const { return state_ == State::kOpen; }
  std::size_t in_flight() const { return in_flight_.size(); }
  // Since when it has been waiting for the answer that is due next, or to be connected; none: it
  // waits for nothing.
  std::optional<Instant> waiting_since() const;

 private:
  enum class State : std::uint8_t { kClosed, kConnecting, kOpen, kClosing };

  void connected(int status);
  void received(ssize_t size_or_error);
  void take_replies(std::string_view bytes);

  const std::size_t id_;
  uv_loop_t* loop_;
  Observer& observer_;
  BenchWorkload& workload_;
  std::span<char> read_buffer_;

  State state_ = State::kClosed;
  Instant connecting_since_{};
  uv_tcp_t tcp_{};
  uv_connect_t connect_request_{};
  uv_write_t write_request_{};
  std::optional<io::HttpClientCodec> codec_;
  std::deque<InFlight> in_flight_;
  std::string output_;
  std::string writing_;  // empty unless a write is under way
};

}  // namespace anchor::cli
