#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/time.h"
#include "io/http_message.h"

namespace anchor::cli {

struct HttpRequestOut {
  io::HttpMethod method = io::HttpMethod::kGet;
  std::string target{};                // percent-encoded, begins with '/'
  std::vector<std::string> headers{};  // "Name: value"
  ByteView body{};                     // of a PUT or POST

  // Whether it matters if it is carried out twice, or without anybody knowing.
  bool writes() const { return method != io::HttpMethod::kGet && method != io::HttpMethod::kHead; }
};

struct HttpReplyIn {
  int status = 0;
  std::vector<std::string> header_lines{};  // "Name: value"
  std::string body{};

  // The value of the first header with this name, in any case.
  std::optional<std::string_view> header(std::string_view name) const;
};

struct NoReply {
  std::string cause{};
  // False: the server certainly did not see the request.
  bool maybe_sent = false;
};

struct HttpTimeouts {
  Duration connect{};
  Duration whole{};
};

// One request on a connection of its own, by libcurl. May be called on several threads at a time.
std::expected<HttpReplyIn, NoReply> exchange(const std::string& endpoint,
                                             const HttpRequestOut& request,
                                             const HttpTimeouts& timeouts);

}  // namespace anchor::cli
