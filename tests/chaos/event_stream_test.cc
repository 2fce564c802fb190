#include "tests/chaos/event_stream.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <string_view>

namespace anchor::chaos {
namespace {

constexpr std::string_view kHead = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

std::string chunk(std::string_view text) {
  std::ostringstream size;
  size << std::hex << text.size();
  return size.str() + "\r\n" + std::string(text) + "\r\n";
}

constexpr std::string_view kPut =
    "event: put\n"
    "data: {\"key\":\"k3\",\"value\":\"17\",\"mod_revision\":9,\"prev\":null}\n\n";
constexpr std::string_view kDelete =
    "id: 9\n"
    "event: delete\n"
    "data: {\"key\":\"k4\",\"mod_revision\":9,"
    "\"prev\":{\"key\":\"k4\",\"value\":\"12\",\"mod_revision\":5}}\n\n";

TEST(ChaosEventStream, ReadsWhatComesInPieces) {
  const std::string bytes =
      std::string(kHead) + chunk(kPut) + chunk(":\n\n") + chunk(kDelete) +
      chunk("event: progress\ndata: {\"revision\":11}\n\n") +
      chunk("event: resync\ndata: {\"compacted_revision\":20,\"revision\":30}\n\n") + "0\r\n\r\n";
  const std::vector<Shown> expected{
      {.key = 3, .revision = 9, .value = 17},
      {.last_of_revision = true,
       .key = 4,
       .revision = 9,
       .previous_revision = 5,
       .previous_value = 12},
      {.kind = Shown::Kind::kProgress, .revision = 11},
      {.kind = Shown::Kind::kResync, .revision = 30, .previous_revision = 20}};
  for (const std::size_t size : {std::size_t{1}, std::size_t{7}, bytes.size()}) {
    EventStream stream;
    std::vector<Shown> shown;
    for (std::size_t at = 0; at < bytes.size(); at += size) {
      stream.take(std::string_view(bytes).substr(at, size));
      while (const auto next = stream.next()) shown.push_back(*next);
    }
    EXPECT_EQ(stream.fault(), "");
    EXPECT_TRUE(stream.ended());
    EXPECT_TRUE(shown == expected) << size;
  }
}

TEST(ChaosEventStream, ShowsNothingOfARefusal) {
  EventStream stream;
  stream.take("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 3\r\n\r\nno\n");
  EXPECT_EQ(stream.status(), 503);
  EXPECT_FALSE(stream.next());
  EXPECT_EQ(stream.fault(), "");
}

TEST(ChaosEventStream, FindsWhatNoServerShouldSend) {
  for (const std::string_view block :
       {"event: put\ndata: {\"key\":\"k3\",\"mod_revision\":9,\"prev\":null}\n\n",
        "event: put\ndata: {\"key\":\"x\",\"value\":\"1\",\"mod_revision\":9,\"prev\":null}\n\n",
        "event: put\ndata: {\"key\":\"k3\",\"value\":\"1\",\"mod_revision\":9}\n\n",
        "id: 8\nevent: delete\ndata: {\"key\":\"k3\",\"mod_revision\":9,\"prev\":null}\n\n",
        "event: progress\ndata: {\"revision\":9\n\n", "event: other\ndata: {}\n\n",
        "id: 9\nevent: progress\ndata: {\"revision\":9}\n\n", "hello\n\n"}) {
    EventStream stream;
    stream.take(kHead);
    stream.take(chunk(block));
    EXPECT_FALSE(stream.next()) << block;
    EXPECT_NE(stream.fault(), "") << block;
  }
}

TEST(ChaosEventStream, FindsBadChunks) {
  EventStream cut;
  cut.take(kHead);
  cut.take(chunk("event: put\n") + "0\r\n\r\n");
  EXPECT_EQ(cut.fault(), "an end within an event");
  EventStream garbled;
  garbled.take(kHead);
  garbled.take("event: put\r\n");
  EXPECT_EQ(garbled.fault(), "a bad size of a chunk: event: put");
}

}  // namespace
}  // namespace anchor::chaos
