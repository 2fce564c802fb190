#include "io/http_output.h"

#include <gtest/gtest.h>

namespace anchor::io {
namespace {

std::string written(const HttpResponse& response, const HttpFraming& framing = {}) {
  HttpOutput output;
  append_response(response, framing, "", output);
  std::vector<ByteView> pieces;
  output.collect(0, pieces);
  std::string text;
  for (const ByteView piece : pieces) text += as_text(piece);
  return text;
}

TEST(AppendResponse, FramesTheBodyByItsLength) {
  EXPECT_EQ(written({.body = "value"}), "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nvalue");
}

TEST(AppendResponse, KeepsTheSpaceWhereAStatusHasNoReasonPhrase) {
  EXPECT_EQ(written({.status = 599}), "HTTP/1.1 599 \r\nContent-Length: 0\r\n\r\n");
}

TEST(AppendResponse, AnnouncesWhatAHeadDoesNotSend) {
  EXPECT_EQ(written({.body = "value"}, {.head = true}),
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
}

TEST(AppendResponse, SaysNothingOfABodyThatItSpares) {
  EXPECT_EQ(written({.status = 304, .body = "value"}), "HTTP/1.1 304 Not Modified\r\n\r\n");
}

}  // namespace
}  // namespace anchor::io
