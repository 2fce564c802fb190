#pragma once

#include <llhttp.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "io/http_codec.h"
#include "io/http_message.h"

namespace anchor::io {

// What it views is the codec's, and stays until the codec's next call.
struct HttpReply {
  int status = 0;
  std::span<const HttpHeader> headers{};
  Bytes body{};
  // False: the server closes the connection after this, and answers no later request on it.
  bool keep_alive = true;

  std::optional<std::string_view> header(std::string_view name) const {
    return find_header(headers, name);
  }
};

// The client's side of one connection: requests to bytes, bytes to replies, in the order of the
// requests, any number in flight. No I/O.
class HttpClientCodec {
 public:
  // `host` is the authority, host:port. A reply with a larger body is an error.
  explicit HttpClientCodec(std::string host, std::size_t body_bytes = 16 << 20);
  HttpClientCodec(const HttpClientCodec&) = delete;
  HttpClientCodec& operator=(const HttpClientCodec&) = delete;

  // Appends a request to `output`. `header_lines` are whole lines, each with its CRLF. PUT and POST
  // have a body, though it be empty; others have none. Requires: `target` begins with '/' and is
  // percent-encoded; `method` is not kOther.
  void append_request(HttpMethod method, std::string_view target, std::string_view header_lines,
                      ByteView body, std::string& output);

  // Requests without a whole reply.
  std::size_t outstanding() const { return expected_.size(); }

  // Takes bytes from the front of `input`, at most to the end of one reply. Interim replies (1xx)
  // are skipped. After an error there is nothing more to be read.
  using Parsed = std::variant<HttpNeedsMore, HttpReply, Error>;
  Parsed parse(std::string_view& input);
  // The server has closed: the end of a reply that announced no length, or an error if any request
  // is without its reply.
  Parsed end_of_input();

 private:
  struct Callbacks;
  struct HeaderPlace {
    std::size_t name_start = 0;
    std::size_t name_size = 0;
    std::size_t value_size = 0;  // the value follows the name
  };

  void begin_reply();
  bool interim() const { return parser_.status_code / 100 == 1; }
  int keep(const char* at, std::size_t size);
  Parsed finish_reply();
  Parsed fail(std::string message);

  std::string host_;
  std::size_t body_limit_bytes_;
  llhttp_t parser_{};
  // The methods of the requests in flight: a HEAD's reply has no body, whatever it announces.
  std::deque<HttpMethod> expected_;

  std::string head_;
  std::vector<HeaderPlace> places_;
  std::vector<HttpHeader> headers_;
  HttpBody body_;
  bool failed_ = false;

  // Set by the callbacks.
  bool name_whole_ = false;
  bool headers_whole_ = false;
  bool keep_alive_ = true;
  std::uint64_t announced_bytes_ = 0;  // by Content-Length
  bool message_complete_ = false;
  bool too_large_ = false;
};

}  // namespace anchor::io
