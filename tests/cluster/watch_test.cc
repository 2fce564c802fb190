#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdint>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/cluster/cluster.h"

// GET /watch on a cluster of real servers.
namespace anchor::cluster {
namespace {

using nlohmann::json;

// Of a stream; a heartbeat is none.
struct Event {
  std::string id{};
  std::string kind{};
  json data{};
};

// The events that have come as a whole.
std::vector<Event> events_of(std::string_view text) {
  std::vector<Event> events;
  for (std::size_t end = 0; (end = text.find("\n\n")) != text.npos; text.remove_prefix(end + 2)) {
    Event event;
    for (std::string_view lines = text.substr(0, end + 1); !lines.empty();) {
      const std::string_view line = lines.substr(0, lines.find('\n'));
      lines.remove_prefix(line.size() + 1);
      if (line.starts_with("id: ")) event.id = line.substr(4);
      if (line.starts_with("event: ")) event.kind = line.substr(7);
      if (line.starts_with("data: ")) event.data = json::parse(line.substr(6));
    }
    if (!event.kind.empty()) events.push_back(std::move(event));
  }
  return events;
}

// One watch, over a connection of its own.
class Stream {
 public:
  Stream(const Node& node, const std::string& query, const std::string& header_lines = "")
      : connection_(*Connection::open(node.http_port().number())) {
    EXPECT_TRUE(connection_.send("GET /watch?" + query + " HTTP/1.1\r\nHost: a\r\n" + header_lines +
                                 "\r\n"));
    // All that was written before this is not shown, and all that is written after it is.
    while (!raw_.contains("\r\n\r\n")) {
      if (!receive()) break;
    }
    head_ = raw_.substr(0, raw_.find("\r\n\r\n") + 4);
    raw_.erase(0, head_.size());
    EXPECT_TRUE(head_.starts_with("HTTP/1.1 200")) << head_;
    take_chunks();
  }

  // With the end of the event that has it. False: it has ended, or was silent for too long.
  bool read_until(std::string_view wanted) {
    std::size_t looked_at = 0;
    while (true) {
      const std::size_t found = text_.find(wanted, looked_at);
      if (found != text_.npos && text_.find("\n\n", found) != text_.npos) return true;
      looked_at =
          found != text_.npos ? found : text_.size() - std::min(text_.size(), wanted.size());
      if (ended_ || !receive()) return false;
      take_chunks();
    }
  }
  // False: it goes on, but says nothing, or was cut off.
  bool read_to_its_end() {
    while (!ended_) {
      if (!receive()) return false;
      take_chunks();
    }
    return true;
  }

  const std::string& head() const { return head_; }
  // What has come of the body.
  const std::string& text() const { return text_; }
  std::vector<Event> events() const { return events_of(text_); }

 private:
  bool receive() {
    const auto received = connection_.receive();
    if (!received || received->empty()) return false;
    raw_ += *received;
    return true;
  }
  // RFC 9112, section 7.1.
  void take_chunks() {
    std::size_t at = 0;
    for (std::size_t line = 0; (line = raw_.find("\r\n", at)) != raw_.npos;) {
      std::size_t size = 0;
      std::from_chars(raw_.data() + at, raw_.data() + line, size, 16);
      if (raw_.size() < line + 2 + size + 2) break;
      text_.append(raw_, line + 2, size);
      at = line + 2 + size + 2;
      ended_ = ended_ || size == 0;
    }
    raw_.erase(0, at);
  }

  Connection connection_;
  std::string raw_{};
  std::string head_{};
  std::string text_{};
  bool ended_ = false;
};

class WatchesOfACluster : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(cluster_.start()); }

  std::string put(std::string_view key, std::string value) {
    const auto written = cluster_[0].put("/kv/" + std::string(key), std::move(value));
    EXPECT_TRUE(written && written->status == 200);
    return written ? written->header("Anchor-Revision") : "";
  }

  Cluster cluster_;
};

TEST_F(WatchesOfACluster, ShowFromNowOnWhatIsWrittenThroughAnyNode) {
  const std::string before = put("a", "before");
  std::vector<Stream> streams;
  for (const auto& node : cluster_.nodes()) streams.emplace_back(*node, "key=a");
  put("b", "other");
  const std::string revision = put("a", "after");
  for (Stream& stream : streams) {
    EXPECT_TRUE(stream.head().contains("Content-Type: text/event-stream\r\n")) << stream.head();
    EXPECT_TRUE(stream.head().contains("Anchor-Revision: " + before + "\r\n")) << stream.head();
    ASSERT_TRUE(stream.read_until("\"value\":\"after\"")) << stream.text();
    EXPECT_TRUE(stream.text().contains("id: " + revision + "\nevent: put\n")) << stream.text();
    EXPECT_FALSE(stream.text().contains("before")) << stream.text();
    EXPECT_FALSE(stream.text().contains("other")) << stream.text();
  }
}

TEST_F(WatchesOfACluster, MayBeginAtARevisionThatIsToCome) {
  const std::uint64_t next = std::stoull(put("a", "1")) + 1;
  Stream stream(cluster_.follower(), "key=a&from=" + std::to_string(next + 1));
  put("a", "2");
  put("a", "3");
  ASSERT_TRUE(stream.read_until("\"value\":\"3\""));
  EXPECT_EQ(stream.events().size(), 1U) << stream.text();
}

TEST_F(WatchesOfACluster, ShowWhatAKeyWasAndThatItIsDeleted) {
  const Node& node = cluster_.follower();
  Stream stream(node, "prefix=k/&prev=true");
  put("k/a", "1");
  put("k/a", "2");
  ASSERT_EQ(node.request(io::HttpMethod::kDelete, "/kv/?prefix=k/")->status, 200);
  ASSERT_TRUE(stream.read_until("event: delete\n"));
  const std::vector<Event> events = stream.events();
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[0].data.at("prev"), nullptr);
  EXPECT_EQ(events[1].data.at("prev").at("value"), "1");
  EXPECT_EQ(events[2].data.at("prev").at("value"), "2");
  EXPECT_EQ(events[2].data.at("key"), "k/a");
}

TEST_F(WatchesOfACluster, ShowAKeyThatWentWithItsLease) {
  std::vector<Stream> streams;
  for (const auto& node : cluster_.nodes()) streams.emplace_back(*node, "key=a");
  ASSERT_EQ(cluster_[0].put("/kv/a?ttl=1s", "v")->status, 200);
  for (Stream& stream : streams) {
    EXPECT_TRUE(stream.read_until("event: delete\ndata: {\"key\":\"a\"")) << stream.text();
  }
}

// Of these revisions the ids are told once each, with the last of their changes.
TEST_F(WatchesOfACluster, ShowAllOfATransactionUnderOneId) {
  Stream stream(cluster_.follower(), "prefix=k/");
  const auto written = post_json(cluster_[0].client(), "/txn",
                                 json::parse(R"({"success":[{"op":"put","key":"k/1","value":"1"},
                                 {"op":"put","key":"other","value":"1"},
                                 {"op":"put","key":"k/2","value":"1"}]})"));
  ASSERT_EQ(written->status, 200);
  put("k/end", "");
  ASSERT_TRUE(stream.read_until("k/end"));
  const std::vector<Event> events = stream.events();
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[0].data.at("key"), "k/1");
  EXPECT_EQ(events[0].id, "");
  EXPECT_EQ(events[1].data.at("key"), "k/2");
  EXPECT_EQ(events[1].id, written->header("Anchor-Revision"));
}

TEST_F(WatchesOfACluster, GoOnAtAnotherNodeBehindWhatWasSeen) {
  put("k/1", "one");
  const std::string seen = put("k/2", "two");
  put("k/3", "three");
  Stream first(cluster_.leader(), "prefix=k/&from=2");
  ASSERT_TRUE(first.read_until("three"));
  cluster_.leader().kill();
  ASSERT_TRUE(cluster_.wait_until_ready());
  Stream second(cluster_.follower(), "prefix=k/&from=2", "Last-Event-ID: " + seen + "\r\n");
  ASSERT_TRUE(second.read_until("three"));
  EXPECT_FALSE(second.text().contains("two")) << second.text();
}

// What a client has seen for good: up to the last id.
void keep_what_was_seen(std::vector<Event>& events) {
  while (!events.empty() && events.back().id.empty()) events.pop_back();
}

std::vector<std::string> shown_in(const std::vector<Event>& events) {
  std::vector<std::string> shown;
  for (const Event& event : events) shown.push_back(event.kind + " " + event.data.dump());
  return shown;
}

// Its clients come back to another one, while others write on.
TEST_F(WatchesOfACluster, HaveNeitherGapNorRepeatWhenTheirNodeIsKilled) {
  Node& killed = cluster_.leader();
  const std::vector<Node*> others = cluster_.others(killed);
  Stream before(killed, "prefix=k");
  const std::string begin = put("k0", "begin");
  std::atomic<bool> stopping = false;
  std::atomic<int> written = 0;
  std::thread writer([&] {
    HttpClient client = others[0]->client();
    for (int i = 0; !stopping; ++i) {
      // Nobody can tell of some whether they were written.
      const auto answer = client.put("/kv/k" + std::to_string(i % 5), std::to_string(i));
      if (answer && answer->status == 200) ++written;
    }
  });
  EXPECT_TRUE(eventually([&] { return written > 100; }));
  EXPECT_TRUE(before.read_until("\"value\":\"50\""));
  killed.kill();
  while (before.read_until("never")) {
  }
  std::vector<Event> events = before.events();
  keep_what_was_seen(events);
  const int then = written;
  EXPECT_TRUE(eventually([&] { return written > then + 100; }));
  Stream after(*others[1], "prefix=k", "Last-Event-ID: " + events.back().id + "\r\n");
  stopping = true;
  writer.join();
  ASSERT_EQ(others[0]->put("/kv/kend", "end")->status, 200);
  ASSERT_TRUE(after.read_until("\"value\":\"end\""));
  std::ranges::move(after.events(), std::back_inserter(events));
  Stream whole(*others[0], "prefix=k&from=" + begin);
  ASSERT_TRUE(whole.read_until("\"value\":\"end\""));
  EXPECT_GT(events.size(), 200U);
  EXPECT_EQ(shown_in(events), shown_in(whole.events()));
}

TEST_F(WatchesOfACluster, SayWhatWasForgottenAndEnd) {
  for (int i = 0; i < 5; ++i) put("a", std::to_string(i));
  ASSERT_EQ(cluster_[0].put("/settings", R"({"history_revisions":2})")->status, 200);
  put("a", "last");
  ASSERT_TRUE(cluster_.wait_until_equal());
  Stream stream(cluster_[1], "key=a&from=2");
  ASSERT_TRUE(stream.read_until("event: resync\ndata: {\"compacted_revision\":5,\"revision\":7}"))
      << stream.text();
  EXPECT_TRUE(stream.read_to_its_end());
}

// While it reads nothing, more is written than is on its way to it, and the history goes on.
TEST_F(WatchesOfACluster, ThatAreReadTooSlowlyAreToldSoAndEnd) {
  constexpr int kEvents = 48;
  const Node& node = cluster_.follower();
  ASSERT_EQ(node.put("/settings", R"({"history_revisions":3})")->status, 200);
  Stream slow(node, "key=a");
  for (int i = 0; i < kEvents; ++i) put("a", std::string(512 << 10, 'v'));
  put("b", "last");
  ASSERT_TRUE(cluster_.wait_until_equal());
  ASSERT_TRUE(slow.read_to_its_end());
  const std::vector<Event> events = slow.events();
  ASSERT_FALSE(events.empty());
  EXPECT_LT(events.size(), kEvents);
  ASSERT_EQ(events.back().kind, "resync");
  const std::uint64_t compacted = events.back().data.at("compacted_revision");
  std::uint64_t revision = 1;
  for (std::size_t i = 0; i + 1 < events.size(); ++i) {
    EXPECT_EQ(events[i].data.at("mod_revision"), ++revision) << "no gap before that";
  }
  EXPECT_LT(revision, compacted);
}

TEST_F(WatchesOfACluster, OfManyShowEachEventInItsOrder) {
  constexpr std::size_t kWatchers = 1000;
  constexpr int kEvents = 50;
  const Node& node = cluster_.follower();
  std::vector<Stream> streams;
  for (std::size_t i = 0; i < kWatchers; ++i) {
    streams.emplace_back(node, "key=a");
    ASSERT_FALSE(HasFailure()) << i;
  }
  std::vector<std::string> ids;
  for (int i = 0; i < kEvents; ++i) ids.push_back(put("a", "v" + std::to_string(i)));
  for (Stream& stream : streams) {
    ASSERT_TRUE(stream.read_until("id: " + ids.back() + "\n"));
    const std::vector<Event> events = stream.events();
    ASSERT_EQ(events.size(), ids.size());
    for (std::size_t i = 0; i < ids.size(); ++i) {
      ASSERT_EQ(events[i].id, ids[i]);
      ASSERT_EQ(events[i].data.at("value"), "v" + std::to_string(i));
    }
  }
}

TEST_F(WatchesOfACluster, SayNowAndThenThatTheyAreThere) {
  Stream silent(cluster_[0], "key=a");
  Stream marked(cluster_[1], "key=a&progress=true");
  const std::string revision = put("b", "other");
  EXPECT_TRUE(silent.read_until(":"));
  EXPECT_TRUE(marked.read_until("event: progress\ndata: {\"revision\":" + revision + "}\n\n"));
  EXPECT_TRUE(silent.events().empty());
}

TEST_F(WatchesOfACluster, EndWhenTheirServerIsToldToEnd) {
  Node& node = cluster_.follower();
  Stream stream(node, "key=a");
  EXPECT_TRUE(node.terminate());
  EXPECT_TRUE(stream.read_to_its_end()) << stream.text();
}

}  // namespace
}  // namespace anchor::cluster
