#pragma once

#include <expected>
#include <string_view>

#include "io/http_message.h"

namespace anchor::io {

struct HttpRequestLine {
  HttpMethod method = HttpMethod::kOther;
  std::string_view target;
  bool version_1_0 = false;
};

// Reads "GET /target HTTP/1.1", without its CRLF (RFC 9112, 3). Only the origin form of a target,
// only HTTP/1.1 and HTTP/1.0, one space between the parts. Whether a method that is not one of
// anchor's is HTTP's at all is for llhttp to say.
std::expected<HttpRequestLine, HttpRefusal> parse_request_line(std::string_view line);

}  // namespace anchor::io
