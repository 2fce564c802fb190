#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/cluster/cluster.h"

namespace anchor::cluster {

// Clients that write, each one key after another, on any server that answers; and what they were
// told.
class Load {
 public:
  explicit Load(const Cluster& cluster) {
    for (const auto& node : cluster.nodes()) ports_.push_back(node->http_port().number());
    for (int number = 0; number < kClients; ++number) {
      clients_.push_back(std::make_unique<Client>());
    }
    for (int number = 0; number < kClients; ++number) {
      clients_[static_cast<std::size_t>(number)]->thread =
          std::thread([this, number] { run(number); });
    }
  }
  ~Load() { stop(); }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  int acknowledged_count() const { return acknowledged_count_; }
  bool wait_for_acknowledged(int more) const {
    const int wanted = acknowledged_count_ + more;
    return eventually([&] { return acknowledged_count_ >= wanted; });
  }
  // The longest time without an acknowledgement, since it was last asked for.
  Duration take_longest_pause() {
    const std::scoped_lock lock(pause_mutex_);
    return std::exchange(longest_pause_, Duration());
  }
  void stop() {
    stopping_ = true;
    for (const auto& client : clients_) {
      if (client->thread.joinable()) client->thread.join();
    }
  }

  // Requires: stopped.
  std::vector<std::string> acknowledged() const { return collect(&Client::acknowledged); }
  std::vector<std::string> not_applied() const { return collect(&Client::not_applied); }
  std::vector<std::string> surprises() const { return collect(&Client::surprises); }

 private:
  static constexpr int kClients = 4;

  struct Client {
    std::vector<std::string> acknowledged;
    std::vector<std::string> not_applied;
    std::vector<std::string> surprises;
    std::thread thread;
  };

  void run(int number);
  void take(Client& client, const std::string& key, const Result<HttpAnswer>& answer);
  std::vector<std::string> collect(std::vector<std::string> Client::* kind) const;

  std::vector<std::uint16_t> ports_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::atomic<bool> stopping_ = false;
  std::atomic<int> acknowledged_count_ = 0;

  std::mutex pause_mutex_;
  std::chrono::steady_clock::time_point last_acknowledged_ = std::chrono::steady_clock::now();
  Duration longest_pause_{};
};

// The node holds what was acknowledged, and nothing of what was refused. Requires: stopped.
void expect_what_was_told(const Node& node, const Load& load);

}  // namespace anchor::cluster
