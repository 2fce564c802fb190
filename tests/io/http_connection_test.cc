#include "io/http_connection.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/io/http_connection_fixture.h"

namespace anchor::io {
namespace {

TEST_F(HttpConnectionTest, AnswersLeaveInTheOrderOfTheRequests) {
  receive(get("/1") + get("/2") + get("/3"));
  ASSERT_EQ(asked_.requests.size(), 3U);
  answer(2, "three");
  answer(1, "two");
  EXPECT_EQ(written(), "");
  answer(0, "one");
  EXPECT_EQ(written(), ok("one") + ok("two") + ok("three"));
}

TEST_F(HttpConnectionTest, AHandlerMayAnswerAtOnce) {
  asked_.answer_at_once = &connection_;
  receive(get("/1") + get("/2"));
  EXPECT_EQ(written(), ok("now") + ok("now"));
  EXPECT_TRUE(connection_.idle());
}

TEST_F(HttpConnectionTest, ARefusalWaitsForEarlierAnswersAndIsTheLast) {
  receive(get("/1") + "nonsense" + get("/2"));
  ASSERT_EQ(asked_.requests.size(), 1U);
  EXPECT_EQ(written(), "");
  answer(0, "one");
  EXPECT_EQ(written(), ok("one") +
                           "HTTP/1.1 400 Bad Request\r\nX: y\r\nConnection: close\r\n"
                           "Content-Length: 11\r\n\r\nbad_request");
  EXPECT_TRUE(connection_.finished());
  receive(get("/3"));
  EXPECT_EQ(asked_.requests.size(), 1U);
  EXPECT_EQ(written(), "");
}

TEST_F(HttpConnectionTest, AnAnswerToHeadHasNoBody) {
  receive("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n" + get("/"));
  answer(0, "four");
  answer(1, "five");
  EXPECT_EQ(written(), "HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: 4\r\n\r\n" + ok("five"));
}

TEST_F(HttpConnectionTest, ANotModifiedHasNeitherBodyNorLength) {
  receive(get("/"));
  connection_.respond(asked_.requests[0].sequence, {.status = 304, .header_lines = "ETag: e\r\n"});
  EXPECT_EQ(written(), "HTTP/1.1 304 Not Modified\r\nX: y\r\nETag: e\r\n\r\n");
}

TEST_F(HttpConnectionTest, ContinueIsSaidInItsTurn) {
  receive(get("/1") +
          "PUT /2 HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n");
  EXPECT_EQ(written(), "");
  answer(0, "one");
  EXPECT_EQ(written(), ok("one") + "HTTP/1.1 100 Continue\r\n\r\n");
  receive("v");
  answer(1, "two");
  EXPECT_EQ(written(), ok("two"));
}

TEST_F(HttpConnectionTest, AClientOfHttp10IsToldThatTheConnectionStays) {
  receive("GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n");
  answer(0, "a");
  EXPECT_EQ(written(),
            "HTTP/1.1 200 OK\r\nX: y\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\na");
  receive("GET / HTTP/1.0\r\nHost: a\r\n\r\n");
  answer(1, "b");
  EXPECT_EQ(written(),
            "HTTP/1.1 200 OK\r\nX: y\r\nConnection: close\r\nContent-Length: 1\r\n\r\nb");
  EXPECT_TRUE(connection_.finished());
}

TEST_F(HttpConnectionTest, AnUnfinishedRequestIsNeverHandledAndIsToldSo) {
  const std::string whole = put("/kv/a", "value");
  for (std::size_t size = 1; size < whole.size(); ++size) {
    SCOPED_TRACE(size);
    Asked asked;
    HttpConnection connection(7, limits_, common_lines_, asked, now_);
    connection.receive(now_, std::string_view(whole).substr(0, size));
    EXPECT_FALSE(connection.idle());
    connection.end_of_input();
    EXPECT_TRUE(asked.requests.empty());
    HttpOutput output;
    std::vector<ByteView> pieces;
    connection.take_output(now_, output);
    output.collect(0, pieces);
    EXPECT_TRUE(as_text(pieces.at(0)).starts_with("HTTP/1.1 400 "));
    connection.written(now_);
    EXPECT_TRUE(connection.finished());
  }
}

TEST_F(HttpConnectionTest, AClientThatOnlyStoppedSendingGetsItsAnswers) {
  receive(get("/1"));
  connection_.end_of_input();
  EXPECT_FALSE(connection_.finished());
  answer(0, "one");
  EXPECT_EQ(written(), ok("one"));
  EXPECT_TRUE(connection_.finished());
}

TEST_F(HttpConnectionTest, OfAClientThatIsGoneOrSendsNoMoreTheHandlerIsTold) {
  receive(get("/1") + get("/2") + get("/3"));
  answer(1, "two");
  EXPECT_TRUE(asked_.gone.empty());
  connection_.end_of_input();
  EXPECT_EQ(asked_.gone, (std::vector<std::uint64_t>{1, 3}));
  answer(0, "one");
  connection_.abandon();
  EXPECT_EQ(asked_.gone.back(), 3U);
}

TEST_F(HttpConnectionTest, TakesNoMoreRequestsThanItHasRoomFor) {
  limits_.waiting_requests = 2;
  receive(get("/1") + get("/2") + get("/3") + get("/4").substr(0, 9));
  EXPECT_EQ(asked_.requests.size(), 2U);
  EXPECT_FALSE(connection_.reads());
  answer(0, "one");
  EXPECT_EQ(written(), ok("one"));
  EXPECT_EQ(asked_.requests.size(), 3U);
  EXPECT_FALSE(connection_.reads());
  answer(1, "two");
  answer(2, "three");
  EXPECT_EQ(written(), ok("two") + ok("three"));
  EXPECT_TRUE(connection_.reads());
  receive(get("/4").substr(9));
  ASSERT_EQ(asked_.requests.size(), 4U);
  EXPECT_EQ(asked_.requests[3].target, "/4");
}

TEST_F(HttpConnectionTest, BoundsTheBytesThatWait) {
  limits_.waiting_bytes = 10;
  receive(put("/1", "123456789") + put("/2", "0") + put("/3", ""));
  EXPECT_EQ(asked_.requests.size(), 2U);
  EXPECT_FALSE(connection_.reads());
  // An answer that cannot leave yet counts too.
  answer(1, "0123456789");
  EXPECT_EQ(written(), "");
  EXPECT_FALSE(connection_.reads());
  answer(0, "");
  EXPECT_EQ(written(), ok("") + ok("0123456789"));
  EXPECT_EQ(asked_.requests.size(), 3U);
  EXPECT_TRUE(connection_.reads());
}

// Somebody may overwrite it while it waits, and then nobody else holds it.
TEST_F(HttpConnectionTest, ValuesThatWaitCountToo) {
  limits_.waiting_bytes = 10;
  receive(get("/1") + get("/2"));
  connection_.respond(asked_.requests[1].sequence, {.body = item_with("0123456789")});
  EXPECT_FALSE(connection_.reads());
  connection_.respond(asked_.requests[0].sequence, {.status = 304});
  EXPECT_TRUE(written().ends_with(ok("0123456789")));
  EXPECT_TRUE(connection_.reads());
}

TEST_F(HttpConnectionTest, SerialisesNoMoreThanASocketTakes) {
  limits_.output_bytes = 1;
  receive(get("/1") + get("/2"));
  answer(0, "one");
  answer(1, "two");
  HttpOutput output;
  connection_.take_output(now_, output);
  EXPECT_EQ(output.size_bytes(), ok("one").size());
  EXPECT_FALSE(connection_.has_output());
  connection_.written(now_);
  EXPECT_EQ(written(), ok("two"));
}

TEST_F(HttpConnectionTest, LargeValuesAreSharedAndNotCopied) {
  const auto item = item_with(std::string(100'000, 'v'));
  receive(get("/1"));
  connection_.respond(asked_.requests[0].sequence, {.body = item});
  HttpOutput output;
  std::vector<ByteView> pieces;
  connection_.take_output(now_, output);
  output.collect(0, pieces);
  ASSERT_EQ(pieces.size(), 2U);
  EXPECT_EQ(pieces[1].data(), item->value().data());
  // As after a write that took the head and three bytes.
  output.collect(pieces[0].size() + 3, pieces);
  ASSERT_EQ(pieces.size(), 1U);
  EXPECT_EQ(pieces[0].data(), item->value().data() + 3);
}

TEST_F(HttpConnectionTest, DrainingAnswersWhatItHasAndSaysThatItCloses) {
  receive(get("/1") + get("/2"));
  connection_.drain(now_);
  receive(get("/3"));
  EXPECT_EQ(asked_.requests.size(), 2U);
  answer(0, "one");
  answer(1, "two");
  EXPECT_EQ(written(), ok("one") + last("two"));
  EXPECT_TRUE(connection_.finished());
}

TEST_F(HttpConnectionTest, DrainingTakesTheRequestThatIsArrivingAndNoFurther) {
  receive(get("/1") + get("/2").substr(0, 5));
  connection_.drain(now_);
  EXPECT_FALSE(connection_.idle());
  receive(get("/2").substr(5) + get("/3"));
  ASSERT_EQ(asked_.requests.size(), 2U);
  answer(0, "one");
  answer(1, "two");
  EXPECT_EQ(written(), ok("one") + last("two"));
  EXPECT_TRUE(connection_.finished());
}

TEST_F(HttpConnectionTest, DrainingTakesTheRequestThatHadToWaitForRoom) {
  limits_.waiting_requests = 1;
  receive(get("/1") + get("/2") + get("/3"));
  connection_.drain(now_);
  answer(0, "one");
  EXPECT_EQ(written(), ok("one"));
  answer(1, "two");
  EXPECT_EQ(written(), last("two"));
  EXPECT_EQ(asked_.requests.size(), 2U);
}

TEST_F(HttpConnectionTest, DrainingTakesOneMoreRequestOfAnIdleConnection) {
  connection_.drain(now_);
  EXPECT_TRUE(connection_.idle());
  receive(get("/1") + get("/2"));
  ASSERT_EQ(asked_.requests.size(), 1U);
  answer(0, "one");
  EXPECT_EQ(written(), last("one"));
  EXPECT_TRUE(connection_.finished());
}

TEST_F(HttpConnectionTest, DrainingDoesNotWaitLongForARequestToArrive) {
  receive(get("/1").substr(0, 5));
  connection_.drain(now_);
  now_ += limits_.drain_timeout - 1ms;
  EXPECT_FALSE(connection_.expire(now_));
  EXPECT_EQ(written(), "");
  now_ += 1ms;
  EXPECT_FALSE(connection_.expire(now_));
  EXPECT_TRUE(written().starts_with("HTTP/1.1 503 "));
  EXPECT_TRUE(connection_.finished());
  EXPECT_TRUE(asked_.requests.empty());
}

TEST_F(HttpConnectionTest, AnIdleConnectionEndsInTime) {
  now_ += limits_.idle_timeout - 1ms;
  EXPECT_FALSE(connection_.expire(now_));
  now_ += 1ms;
  EXPECT_TRUE(connection_.expire(now_));
}

TEST_F(HttpConnectionTest, ASlowHeadIsRefusedThoughBytesKeepComing) {
  const std::string request = get("/1");
  for (int i = 0; i < 9; ++i) {
    receive(request.substr(i, 1));
    now_ += 1s;
    EXPECT_FALSE(connection_.expire(now_));
  }
  EXPECT_EQ(written(), "");
  now_ += 1s;
  EXPECT_FALSE(connection_.expire(now_));
  EXPECT_TRUE(written().starts_with("HTTP/1.1 408 "));
  EXPECT_TRUE(connection_.finished());
}

TEST_F(HttpConnectionTest, ASlowBodyHasMoreTimeAndNotAllOfIt) {
  receive("PUT /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab");
  now_ += limits_.request_timeout - 1ms;
  EXPECT_FALSE(connection_.expire(now_));
  EXPECT_EQ(written(), "");
  now_ += 1ms;
  EXPECT_FALSE(connection_.expire(now_));
  EXPECT_TRUE(written().starts_with("HTTP/1.1 408 "));
  EXPECT_TRUE(asked_.requests.empty());
}

TEST_F(HttpConnectionTest, AClientThatDoesNotReadIsCutOff) {
  receive(get("/1"));
  answer(0, "one");
  HttpOutput output;
  connection_.take_output(now_, output);
  now_ += limits_.write_timeout - 1ms;
  EXPECT_FALSE(connection_.expire(now_));
  now_ += 1ms;
  EXPECT_TRUE(connection_.expire(now_));
}

TEST_F(HttpConnectionTest, WaitingForTheHandlerIsNotTheClientsFault) {
  receive(get("/1"));
  now_ += 1000s;
  EXPECT_FALSE(connection_.expire(now_));
  answer(0, "one");
  EXPECT_EQ(written(), ok("one"));
  EXPECT_FALSE(connection_.expire(now_));
}

TEST_F(HttpConnectionTest, AFinishedConnectionLingersForTheClientToClose) {
  receive("nonsense");
  EXPECT_FALSE(written().empty());
  EXPECT_TRUE(connection_.reads());
  EXPECT_FALSE(connection_.expire(now_));
  now_ += limits_.linger_timeout;
  EXPECT_TRUE(connection_.expire(now_));
}

// What an answer in parts has to say, as the test gives it.

}  // namespace
}  // namespace anchor::io
