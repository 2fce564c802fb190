#include "io/http_codec.h"

#include <algorithm>
#include <cstring>
#include <expected>

#include "io/http_request_line.h"

namespace anchor::io {
namespace {

// Beside the target a request line has a method, a version and spaces.
constexpr std::size_t kMethodAndVersionBytes = 64;

bool valid_host(std::string_view host) {
  return std::ranges::all_of(host, [](char c) {
    const bool letter_or_digit =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    return letter_or_digit || std::string_view("-._~%!$&'()*+,;=:[]").contains(c);
  });
}

HttpRefusal bad_request(std::string_view message) {
  return {400, "bad_request", message};
}

HttpRefusal llhttp_refusal(const llhttp_t& parser) {
  if (llhttp_get_errno(&parser) == HPE_INVALID_METHOD) return bad_request("unknown method");
  const char* reason = llhttp_get_error_reason(&parser);
  return bad_request(reason == nullptr ? "malformed request" : reason);
}

}  // namespace

void HttpBody::append(std::string_view part, std::size_t expected_bytes) {
  const std::size_t needed = size_ + part.size();
  const std::size_t capacity = buffer_ ? buffer_->size() : 0;
  if (needed > capacity) {
    std::size_t grown = std::max(needed, 2 * capacity);
    if (expected_bytes >= needed) grown = std::min(grown, expected_bytes);
    Buffer larger(grown);
    if (size_ > 0) std::memcpy(larger.data(), buffer_->data(), size_);
    buffer_ = std::move(larger);
  }
  std::memcpy(buffer_->data() + size_, part.data(), part.size());
  size_ = needed;
}

Bytes HttpBody::take() {
  if (size_ == 0) {
    buffer_.reset();
    return {};
  }
  Bytes bytes = std::move(*buffer_).freeze(size_);
  buffer_.reset();
  size_ = 0;
  return bytes;
}

struct HttpCodec::Callbacks {
  static HttpCodec& codec(llhttp_t* parser) { return *static_cast<HttpCodec*>(parser->data); }

  // Trailers come as headers do. They are no headers: a Host among them must not count.
  static int on_header_field(llhttp_t* parser, const char* at, std::size_t size) {
    HttpCodec& self = codec(parser);
    if (!self.in_trailers_or_body_) self.headers_.push_back({std::string_view(at, size), {}});
    return 0;
  }
  static int on_header_value(llhttp_t* parser, const char* at, std::size_t size) {
    HttpCodec& self = codec(parser);
    if (!self.in_trailers_or_body_) {
      self.headers_.back().value = without_trailing_space(std::string_view(at, size));
    }
    return 0;
  }
  static int on_headers_complete(llhttp_t* parser) {
    codec(parser).in_trailers_or_body_ = true;
    return 0;
  }
  static int on_chunk_header(llhttp_t* parser) {
    HttpCodec& self = codec(parser);
    self.body_too_large_ = !self.body_may_grow_by(parser->content_length);
    return self.body_too_large_ ? -1 : 0;
  }
  static int on_body(llhttp_t* parser, const char* at, std::size_t size) {
    HttpCodec& self = codec(parser);
    ANCHOR_ASSERT(self.body_may_grow_by(size));
    // Judged by what precedes it, so that it makes no difference how the body is cut.
    self.framing_too_long_ = self.more_framing_than_body(at);
    if (self.framing_too_long_) return -1;
    self.body_.append(std::string_view(at, size), self.announced_bytes_);
    return 0;
  }
  // The next request begins with a fresh parser, whatever state this one is left in.
  static int on_message_complete(llhttp_t* parser) {
    codec(parser).message_complete_ = true;
    return HPE_PAUSED;
  }

  static const llhttp_settings_t* settings() {
    static const llhttp_settings_t kSettings = [] {
      llhttp_settings_t settings;
      llhttp_settings_init(&settings);
      settings.on_header_field = on_header_field;
      settings.on_header_value = on_header_value;
      settings.on_headers_complete = on_headers_complete;
      settings.on_chunk_header = on_chunk_header;
      settings.on_body = on_body;
      settings.on_message_complete = on_message_complete;
      return settings;
    }();
    return &kSettings;
  }
};

HttpParsed HttpCodec::parse(std::string_view& input) {
  if (state_ == State::kClosed) {
    input = {};
    return HttpNeedsMore{};
  }
  if (state_ == State::kDone) begin_request();
  if (state_ == State::kBody) return take_body(input);

  const auto head_whole = take_head(input);
  if (!head_whole) return refuse(head_whole.error());
  if (!*head_whole) return HttpNeedsMore{};
  return finish_head(input);
}

void HttpCodec::begin_request() {
  llhttp_init(&parser_, HTTP_REQUEST, Callbacks::settings());
  parser_.data = this;
  state_ = State::kHead;
  head_.clear();
  line_start_ = header_start_ = target_start_ = 0;
  empty_line_ignored_ = false;
  request_ = {};
  headers_.clear();
  expects_continue_ = in_trailers_or_body_ = message_complete_ = false;
  body_too_large_ = framing_too_long_ = false;
  announced_bytes_ = body_read_bytes_ = 0;
}

std::expected<bool, HttpRefusal> HttpCodec::take_head(std::string_view& input) {
  while (!input.empty()) {
    // Neither TLS nor any other protocol of bytes gets as far as a line's end.
    if (head_.empty() && input[0] != '\r' && (input[0] < 'A' || input[0] > 'Z')) {
      return std::unexpected(bad_request("this is no HTTP request"));
    }
    const std::size_t newline = input.find('\n');
    const std::string_view part = input.substr(0, newline == input.npos ? newline : newline + 1);
    const std::size_t bound = header_start_ == 0 ? limits_.target_bytes + kMethodAndVersionBytes
                                                 : header_start_ + limits_.header_bytes;
    if (part.size() > bound - head_.size()) {
      return std::unexpected(header_start_ == 0
                                 ? HttpRefusal{414, "too_large", "the URI is too long"}
                                 : HttpRefusal{431, "too_large", "the headers are too large"});
    }
    head_.append(part);
    input.remove_prefix(part.size());
    if (header_start_ > 0) view_target();
    if (newline == input.npos) return false;

    const auto line = std::string_view(head_).substr(line_start_);
    if (!line.ends_with("\r\n")) return std::unexpected(bad_request("a line must end in CR LF"));
    if (line.size() == 2 && header_start_ > 0) return true;
    if (const auto refusal = check_line(line.substr(0, line.size() - 2))) {
      return std::unexpected(*refusal);
    }
    line_start_ = head_.size();
  }
  return false;
}

// Where it is now: what the head holds moves as it grows.
void HttpCodec::view_target() {
  request_.target = std::string_view(head_).substr(target_start_, request_.target.size());
}

std::optional<HttpRefusal> HttpCodec::check_line(std::string_view line) {
  if (header_start_ > 0) {
    if (line.starts_with(' ') || line.starts_with('\t')) return bad_request("a folded header");
    if (line.starts_with(':')) return bad_request("a header without a name");
    return std::nullopt;
  }
  if (line.empty()) {
    // One before the request line is forgiven (RFC 9112, 2.2).
    if (empty_line_ignored_) return bad_request("empty lines instead of a request");
    empty_line_ignored_ = true;
    head_.clear();
    return std::nullopt;
  }
  const auto parsed = parse_request_line(line);
  if (!parsed) return parsed.error();
  if (parsed->target.size() > limits_.target_bytes) {
    return HttpRefusal{414, "too_large", "the URI is too long"};
  }
  request_.method = parsed->method;
  request_.target = parsed->target;
  request_.version_1_0 = parsed->version_1_0;
  target_start_ = static_cast<std::size_t>(parsed->target.data() - head_.data());
  header_start_ = head_.size();
  return std::nullopt;
}

HttpParsed HttpCodec::finish_head(std::string_view& input) {
  const llhttp_errno_t error = llhttp_execute(&parser_, head_.data(), head_.size());
  if (error != HPE_OK && !message_complete_) return refuse(llhttp_refusal(parser_));
  if (const auto refusal = check_headers()) return refuse(*refusal);
  request_.headers = headers_;
  if (message_complete_) return finish_request();
  state_ = State::kBody;
  if (expects_continue_) return HttpExpectsContinue{};
  return take_body(input);
}

std::optional<HttpRefusal> HttpCodec::check_headers() {
  std::size_t host_count = 0;
  std::size_t encoding_count = 0;
  bool expectation_unknown = false;
  for (const HttpHeader& header : headers_) {
    if (equals_ignoring_case(header.name, "host")) {
      ++host_count;
      if (!valid_host(header.value)) return bad_request("the Host header is malformed");
    } else if (equals_ignoring_case(header.name, "transfer-encoding")) {
      ++encoding_count;
      if (!equals_ignoring_case(header.value, "chunked")) {
        return bad_request("the only Transfer-Encoding is chunked");
      }
    } else if (equals_ignoring_case(header.name, "expect") && !request_.version_1_0) {
      expects_continue_ = equals_ignoring_case(header.value, "100-continue");
      expectation_unknown |= !expects_continue_;
    }
  }
  if (headers_.size() > limits_.header_count) {
    return HttpRefusal{431, "too_large", "too many headers"};
  }
  if (host_count != 1) return bad_request("there must be exactly one Host header");
  const bool chunked = (parser_.flags & F_CHUNKED) != 0;
  if (encoding_count > 1 || chunked != (encoding_count == 1)) {
    return bad_request("the Transfer-Encoding is malformed");
  }
  if (chunked && request_.version_1_0) return bad_request("HTTP/1.0 has no Transfer-Encoding");

  const bool has_length = (parser_.flags & F_CONTENT_LENGTH) != 0;
  request_.bodiless = !has_length && !chunked;
  if (request_.bodiless && request_.method == HttpMethod::kPut) {
    return HttpRefusal{411, "bad_request", "a body needs a Content-Length or chunked encoding"};
  }
  if (has_length) announced_bytes_ = parser_.content_length;
  if (!body_may_grow_by(announced_bytes_)) {
    return HttpRefusal{413, "too_large", "the body is too large"};
  }
  if (expectation_unknown) {
    return HttpRefusal{417, "bad_request", "the only expectation is 100-continue"};
  }
  request_.keep_alive = (parser_.flags & F_CONNECTION_CLOSE) == 0 &&
                        (!request_.version_1_0 || (parser_.flags & F_CONNECTION_KEEP_ALIVE) != 0);
  return std::nullopt;
}

HttpParsed HttpCodec::take_body(std::string_view& input) {
  if (input.empty()) return HttpNeedsMore{};
  body_read_ = input.data();
  const llhttp_errno_t error = llhttp_execute(&parser_, input.data(), input.size());
  const char* end = error == HPE_OK ? input.data() + input.size() : llhttp_get_error_pos(&parser_);
  if (framing_too_long_ || more_framing_than_body(end)) {
    return refuse(bad_request("more chunk framing than body"));
  }
  if (body_too_large_) return refuse({413, "too_large", "the body is too large"});
  if (error != HPE_OK && !message_complete_) return refuse(llhttp_refusal(parser_));
  input.remove_prefix(static_cast<std::size_t>(end - input.data()));
  if (message_complete_) return finish_request();
  body_read_bytes_ += static_cast<std::size_t>(end - body_read_);
  return HttpNeedsMore{};
}

// llhttp bounds neither chunk extensions nor trailers nor the zeros before a chunk's size. Chunks
// of one byte, the smallest that a client may send, take five more each.
bool HttpCodec::more_framing_than_body(const char* end) const {
  const std::size_t read_bytes = body_read_bytes_ + static_cast<std::size_t>(end - body_read_);
  return read_bytes - body_.size() > limits_.header_bytes + 8 * body_.size();
}

HttpParsed HttpCodec::finish_request() {
  state_ = request_.keep_alive ? State::kDone : State::kClosed;
  HttpRequest request = request_;
  request.body = body_.take();
  return request;
}

HttpParsed HttpCodec::refuse(const HttpRefusal& refusal) {
  state_ = State::kClosed;
  body_ = {};
  request_.headers = headers_;
  return refusal;
}

}  // namespace anchor::io
