#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <iostream>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/cluster/cluster.h"

namespace anchor::cluster {
namespace {

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

  void run(int number) {
    Client& client = *clients_[static_cast<std::size_t>(number)];
    for (std::size_t i = 0; !stopping_; ++i) {
      const std::string key = "c" + std::to_string(number) + "-" + std::to_string(i);
      const std::uint16_t port = ports_[(i + static_cast<std::size_t>(number)) % ports_.size()];
      // Applied twice, it would meet itself.
      take(client, key, HttpClient(port).put("/kv/" + key + "?cas=0", key));
    }
  }

  void take(Client& client, const std::string& key, const Result<HttpAnswer>& answer) {
    // A server that has been killed, perhaps in the midst of it.
    if (!answer) return;
    if (answer->status == 200) {
      client.acknowledged.push_back(key);
      ++acknowledged_count_;
      const std::scoped_lock lock(pause_mutex_);
      const auto now = std::chrono::steady_clock::now();
      longest_pause_ =
          std::max(longest_pause_, std::chrono::duration_cast<Duration>(now - last_acknowledged_));
      last_acknowledged_ = now;
    } else if (answer->status == 503) {
      client.not_applied.push_back(key);
    } else if (answer->status != 504) {
      client.surprises.push_back(key + ": " + std::to_string(answer->status) + " " + answer->body);
    }
  }

  std::vector<std::string> collect(std::vector<std::string> Client::* kind) const {
    std::vector<std::string> all;
    for (const auto& client : clients_) {
      const auto& some = (*client).*kind;
      all.insert(all.end(), some.begin(), some.end());
    }
    return all;
  }

  std::vector<std::uint16_t> ports_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::atomic<bool> stopping_ = false;
  std::atomic<int> acknowledged_count_ = 0;

  std::mutex pause_mutex_;
  std::chrono::steady_clock::time_point last_acknowledged_ = std::chrono::steady_clock::now();
  Duration longest_pause_{};
};

void expect_what_was_told(const Node& node, const Load& load) {
  HttpClient client = node.client();
  for (const std::string& key : load.acknowledged()) {
    const auto answer = client.get("/kv/" + key);
    ASSERT_TRUE(answer) << answer.error().message;
    ASSERT_EQ(answer->body, key) << "acknowledged, and lost on " << node.id();
  }
  for (const std::string& key : load.not_applied()) {
    const auto answer = client.get("/kv/" + key);
    ASSERT_TRUE(answer) << answer.error().message;
    ASSERT_EQ(answer->status, 404) << key << ": refused, and applied on " << node.id();
  }
}

void expect_what_was_told(const Cluster& cluster, const Load& load) {
  ASSERT_EQ(load.surprises(), std::vector<std::string>());
  for (const auto& node : cluster.nodes()) {
    ASSERT_NO_FATAL_FAILURE(expect_what_was_told(*node, load));
  }
  EXPECT_TRUE(cluster.wait_until_equal());
}

TEST(Crash, AcknowledgedWritesOutliveTheLeaderAndThenAllServers) {
  Cluster cluster;
  ASSERT_TRUE(cluster.start());
  Load load(cluster);
  ASSERT_TRUE(load.wait_for_acknowledged(200));
  Node& killed = cluster.leader();
  static_cast<void>(load.take_longest_pause());
  killed.kill();
  ASSERT_TRUE(load.wait_for_acknowledged(200)) << "writes do not go on without " << killed.id();
  // A figure to read, and nothing to expect: the machine may be busy.
  const Duration pause = load.take_longest_pause();
  std::cout << "without the leader no write was acknowledged for "
            << std::chrono::duration_cast<std::chrono::milliseconds>(pause).count() << " ms\n";
  killed.start();
  ASSERT_TRUE(load.wait_for_acknowledged(200));
  for (const auto& node : cluster.nodes()) node->kill();
  load.stop();

  for (const auto& node : cluster.nodes()) node->start();
  ASSERT_TRUE(cluster.wait_until_ready());
  expect_what_was_told(cluster, load);
}

// Every server in turn.
void restart_all_under_load(void (*stop)(Node&)) {
  Cluster cluster;
  ASSERT_TRUE(cluster.start());
  Load load(cluster);
  for (const auto& node : cluster.nodes()) {
    ASSERT_TRUE(load.wait_for_acknowledged(50));
    stop(*node);
    ASSERT_TRUE(load.wait_for_acknowledged(50));
    node->start();
    ASSERT_TRUE(cluster.wait_until_ready());
  }
  load.stop();
  expect_what_was_told(cluster, load);
}

TEST(Crash, KillingEveryServerInTurnLosesNothing) {
  restart_all_under_load([](Node& node) { node.kill(); });
}

TEST(Crash, RestartingEveryServerInTurnLosesNothing) {
  restart_all_under_load([](Node& node) { EXPECT_EQ(node.terminate(), Ended{.exit_code = 0}); });
}

}  // namespace
}  // namespace anchor::cluster
