#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/bench/cluster/figures.h"
#include "tests/cluster/http_client.h"

namespace anchor::bench {

enum class Outcome : std::uint8_t {
  kAcknowledged,  // 200
  kRefused,       // 503: not applied
  kUnknown,       // 504: perhaps applied
  kLost,          // the connection ended after the request was sent: perhaps applied
  kOther,         // nothing that a server should answer to these writes
};

// A write and how it ended.
struct Write {
  std::uint32_t client = 0;
  std::uint32_t number = 0;  // among its client's
  std::uint32_t server = 0;  // the last one that was asked
  Outcome outcome{};
  TimePoint begin{};
  TimePoint end{};

  // Of a write that created one.
  std::string key() const { return "c" + std::to_string(client) + "-" + std::to_string(number); }
};

struct LoadOptions {
  std::vector<std::uint16_t> ports;  // of the servers, which are asked in turn
  std::size_t clients = 8;
  std::size_t value_bytes = 256;
  // Zero: every write creates a key. Otherwise the numbered keys below this are overwritten.
  std::size_t keys = 0;
  // A write that was refused is tried again elsewhere: what was not applied may be.
  bool retry_refused = false;
};

// Clients in a closed loop, each with a connection to every server that it keeps while it lasts.
class Load {
 public:
  explicit Load(LoadOptions options);
  ~Load() { stop(); }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  const LoadOptions& options() const { return options_; }
  std::uint64_t acknowledged_count() const { return acknowledged_count_; }
  // Whether a write was that began at this time or later.
  bool acknowledged_since(TimePoint begin) const;
  // Gives up if that takes more than a minute.
  void wait_for_acknowledged(std::uint64_t more) const;
  // One write more, that waits for none of the others and is asked of one server only.
  void start_write(std::size_t server);
  void wait_for_started_writes();
  void stop();

  // Whether it was one of start_write().
  bool is_started(const Write& write) const { return write.client >= options_.clients; }

  // Requires: stopped. By their ends.
  const std::vector<Write>& writes() const { return writes_; }

 private:
  struct Client {
    std::vector<Write> writes;
    std::thread thread;
  };

  void run(std::uint32_t number);
  // Carries it out, on the servers in turn, and keeps it.
  void carry_out(Write write, const std::string& key, std::uint32_t& turn,
                 std::vector<cluster::HttpClient>& servers, std::vector<Write>& writes);

  const LoadOptions options_;
  std::atomic<bool> stopping_ = false;
  std::atomic<std::uint64_t> acknowledged_count_ = 0;
  std::atomic<TimePoint::duration> newest_begin_{};  // of a write that was acknowledged
  std::vector<std::unique_ptr<Client>> clients_;
  std::vector<std::unique_ptr<Client>> started_;
  std::uint32_t started_count_ = 0;
  std::vector<Write> writes_;
};

// How long acknowledged writes took that began in the window.
Sample latencies(const std::vector<Write>& writes, const Window& window);
// The longest time in the window in which no write was acknowledged. Requires: sorted by end.
Duration longest_gap(const std::vector<Write>& writes, const Window& window);
std::size_t count_of(const std::vector<Write>& writes, Outcome outcome);

}  // namespace anchor::bench
