#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "core/base/bytes.h"
#include "core/base/time.h"
#include "core/kv/item.h"

namespace anchor::io {

enum class HttpMethod : std::uint8_t { kGet, kHead, kPut, kPost, kDelete, kOther };
std::string_view method_name(HttpMethod method);

// True if the texts are equal but for the case of ASCII letters.
bool equals_ignoring_case(std::string_view a, std::string_view b);

// Without the spaces and tabs at its end.
std::string_view without_trailing_space(std::string_view text);

struct HttpHeader {
  std::string_view name{};
  std::string_view value{};  // without white space around it
};

// The value of the first header with this name, in any case.
std::optional<std::string_view> find_header(std::span<const HttpHeader> headers,
                                            std::string_view name);

// A request whose head is well-formed in every respect. What it views is the codec's, and stays
// until the codec's next call; the body is the request's own.
struct HttpRequest {
  HttpMethod method = HttpMethod::kOther;
  std::string_view target{};  // begins with '/'; printable ASCII without '#', '"', '<' and '>'
  std::span<const HttpHeader> headers{};
  Bytes body{};
  // It said nothing of a body, and so has none (RFC 9112, 6.3). Never so with PUT.
  bool bodiless = false;
  // HTTP/1.0, whose clients must be told that the connection stays.
  bool version_1_0 = false;
  // The client means to send another request on this connection.
  bool keep_alive = true;

  std::optional<std::string_view> header(std::string_view name) const {
    return find_header(headers, name);
  }
};

// Why bytes are no request that may be handled. The connection ends with the answer to it.
struct HttpRefusal {
  int status = 400;
  std::string_view code{};     // one of the error codes of the API
  std::string_view message{};  // static text
};

// A body that is made while it is sent, as fast as the client takes it: its next part, of about
// 64 KiB; none: that was all; an empty one: there is no more at present, and HttpServer::resume
// will say when there is. It is sent in chunks (RFC 9112, 7.1), but for a client that knows none:
// such a one gets it whole, and must not be given one that may wait.
using HttpParts = std::move_only_function<std::optional<std::string>()>;

struct HttpResponse {
  int status = 200;
  // Whole lines, each with its CRLF. Content-Length, Transfer-Encoding, Connection and Date are not
  // among them.
  std::string header_lines{};
  // Text; or the value of an item, which is sent without a copy if it is large; or parts.
  std::variant<std::string, kv::ItemRef, HttpParts> body{};

  // Requires: neither holds a control character.
  void add_header(std::string_view name, std::string_view value);
  void add_header(std::string_view name, std::uint64_t value);
};

// Bounds on what one connection may ask of the server.
struct HttpLimits {
  std::size_t target_bytes = 16 << 10;
  std::size_t header_bytes = 16 << 10;
  std::size_t header_count = 128;
  std::size_t body_bytes = 2 << 20;

  // Requests that wait for an answer, or for their answer's turn; and the bytes that they and their
  // answers hold.
  std::size_t waiting_requests = 256;
  std::size_t waiting_bytes = 4 << 20;
  // No answer is serialised while as much as this is waiting to be sent.
  std::size_t output_bytes = 1 << 20;

  // From the first byte of a request to the end of its head, and to the end of all of it.
  Duration head_timeout = 10s;
  Duration request_timeout = 30s;
  // Between requests.
  Duration idle_timeout = 60s;
  // For the client to take in what was written at one time.
  Duration write_timeout = 30s;
  // For the client to close after the last answer: a close with its bytes unread would reset the
  // connection, and might destroy the answer on its way (RFC 9112, 9.6).
  Duration linger_timeout = 2s;
  // For a request that was arriving when the server began to drain.
  Duration drain_timeout = 5s;
};

}  // namespace anchor::io
