#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/io/http_connection_fixture.h"

// Answers that are made in parts, and may have to wait for more of them.
namespace anchor::io {
namespace {

class HttpConnectionWithParts : public HttpConnectionTest {
 protected:
  void SetUp() override {
    receive(get("/parts") + get("/next"));
    connection_.respond(asked_.requests.at(0).sequence,
                        {.body = HttpParts([this] {
                           return parts_.empty() ? std::optional<std::string>("")
                                                 : std::exchange(parts_[0], std::nullopt);
                         })});
  }
  // As long as there are parts to make.
  std::string pump() {
    std::string text = written();
    while (connection_.part_due()) {
      connection_.make_part();
      if (!parts_.empty()) parts_.erase(parts_.begin());
      text += written();
    }
    return text;
  }
  void say(std::optional<std::string> part) {
    parts_.push_back(std::move(part));
    connection_.resume(asked_.requests.at(0).sequence);
  }

  std::vector<std::optional<std::string>> parts_;
};

TEST_F(HttpConnectionWithParts, AnAnswerWaitsUntilItHasMore) {
  EXPECT_EQ(pump(), "HTTP/1.1 200 OK\r\nX: y\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_FALSE(connection_.part_due());
  say("one");
  EXPECT_EQ(pump(), "3\r\none\r\n");
  EXPECT_EQ(pump(), "");
  say("two");
  EXPECT_EQ(pump(), "3\r\ntwo\r\n");
  say(std::nullopt);
  EXPECT_EQ(pump(), "0\r\n\r\n");
  answer(1, "next");
  EXPECT_EQ(pump(), ok("next"));
}

TEST_F(HttpConnectionWithParts, AnAnswerThatWaitsIsNotIdle) {
  pump();
  now_ += 10 * limits_.idle_timeout;
  EXPECT_FALSE(connection_.expire(now_));
  EXPECT_FALSE(connection_.idle());
}

TEST_F(HttpConnectionWithParts, OnlyTheAnswerWhoseTurnItIsGoesOn) {
  pump();
  connection_.resume(asked_.requests.at(1).sequence);
  EXPECT_FALSE(connection_.part_due());
}

// It is asked again once that is written.
TEST_F(HttpConnectionWithParts, AnAnswerThatIsBeingWrittenNeedNotBeWoken) {
  pump();
  say("one");
  connection_.make_part();
  parts_.clear();
  HttpOutput output;
  connection_.take_output(now_, output);
  say("two");
  EXPECT_FALSE(connection_.part_due());
  connection_.written(now_);
  EXPECT_EQ(pump(), "3\r\ntwo\r\n");
}

}  // namespace
}  // namespace anchor::io
