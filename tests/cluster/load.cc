#include "tests/cluster/load.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace anchor::cluster {

void Load::run(int number) {
  Client& client = *clients_[static_cast<std::size_t>(number)];
  for (std::size_t i = 0; !stopping_; ++i) {
    const std::string key = "c" + std::to_string(number) + "-" + std::to_string(i);
    const std::uint16_t port = ports_[(i + static_cast<std::size_t>(number)) % ports_.size()];
    // Applied twice, it would meet itself.
    take(client, key, HttpClient(port).put("/kv/" + key + "?cas=0", key));
  }
}

void Load::take(Client& client, const std::string& key, const Result<HttpAnswer>& answer) {
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

std::vector<std::string> Load::collect(std::vector<std::string> Client::* kind) const {
  std::vector<std::string> all;
  for (const auto& client : clients_) {
    const auto& some = (*client).*kind;
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

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

}  // namespace anchor::cluster
