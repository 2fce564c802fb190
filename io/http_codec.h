#pragma once

#include <llhttp.h>

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/bytes.h"
#include "io/http_message.h"

namespace anchor::io {

// A body while it arrives. It grows with what was sent and not with what was announced, so that a
// client cannot claim memory with a number.
class HttpBody {
 public:
  // Copies `part` in; that is the only copy if it is the whole body. `expected_bytes` is the whole
  // body's size, or zero if that is not known.
  void append(std::string_view part, std::size_t expected_bytes);
  std::size_t size() const { return size_; }
  // What arrived, leaving an empty body.
  Bytes take();

 private:
  std::optional<Buffer> buffer_;
  std::size_t size_ = 0;
};

// All bytes were taken, and the request is not whole.
struct HttpNeedsMore {};
// The client waits for "100 Continue" before it sends the body (RFC 9110, 10.1.1).
struct HttpExpectsContinue {};
using HttpParsed = std::variant<HttpNeedsMore, HttpExpectsContinue, HttpRequest, HttpRefusal>;

// Bytes to requests: HTTP/1.1 and 1.0 (RFC 9112), and nothing that two servers could understand in
// two ways. anchor itself frames the head line by line and reads the request line, which keeps out
// folded headers, other protocols and other versions; llhttp then reads the headers of a whole head
// and frames the body. No I/O: it is the same for a socket, a test and a fuzzer.
class HttpCodec {
 public:
  // `limits` must outlive the codec.
  explicit HttpCodec(const HttpLimits& limits) : limits_(limits) {}
  HttpCodec(const HttpCodec&) = delete;
  HttpCodec& operator=(const HttpCodec&) = delete;

  // Takes bytes from the front of `input`, at most to the end of one request. A refusal, or a
  // request without keep_alive, is the last: what follows it is taken and ignored.
  HttpParsed parse(std::string_view& input);

  // Part of a request has arrived, and not all of it.
  bool in_request() const {
    return state_ == State::kBody || (state_ == State::kHead && !head_.empty());
  }
  bool in_body() const { return state_ == State::kBody; }
  // What is known of the request that was refused or is not whole: at least its request line; null
  // if not even that.
  const HttpRequest* partial() const { return header_start_ == 0 ? nullptr : &request_; }

 private:
  enum class State : std::uint8_t {
    kHead,    // reads lines up to an empty one
    kBody,    // llhttp reads the body
    kDone,    // the request was handed out; the next call begins another one
    kClosed,  // nothing more is read
  };
  // What llhttp calls back.
  struct Callbacks;

  void begin_request();
  // Reads lines up to the head's end, which it returns true for, or the input's.
  std::expected<bool, HttpRefusal> take_head(std::string_view& input);
  std::optional<HttpRefusal> check_line(std::string_view line);
  void view_target();
  HttpParsed finish_head(std::string_view& input);
  std::optional<HttpRefusal> check_headers();
  HttpParsed take_body(std::string_view& input);
  // True if what the chunks' own lines and the trailers take, up to `end` of what is being read, is
  // out of all proportion.
  bool more_framing_than_body(const char* end) const;
  HttpParsed finish_request();
  HttpParsed refuse(const HttpRefusal& refusal);
  bool body_may_grow_by(std::uint64_t bytes) const {
    return bytes <= limits_.body_bytes && body_.size() <= limits_.body_bytes - bytes;
  }

  const HttpLimits& limits_;
  State state_ = State::kDone;
  llhttp_t parser_{};

  // The request line and the headers as they arrived.
  std::string head_;
  std::size_t line_start_ = 0;
  std::size_t header_start_ = 0;  // zero until the request line is read
  std::size_t target_start_ = 0;
  bool empty_line_ignored_ = false;

  HttpRequest request_;
  std::vector<HttpHeader> headers_;
  bool expects_continue_ = false;
  std::uint64_t announced_bytes_ = 0;  // by Content-Length

  // Set by the callbacks.
  bool in_trailers_or_body_ = false;
  bool message_complete_ = false;
  bool body_too_large_ = false;
  bool framing_too_long_ = false;
  HttpBody body_;
  // Of the body with its framing: what is being read, and how much was read before.
  const char* body_read_ = nullptr;
  std::size_t body_read_bytes_ = 0;
};

}  // namespace anchor::io
