#include "io/http_client_codec.h"

#include <utility>

#include "core/base/assert.h"

namespace anchor::io {
namespace {

constexpr std::size_t kHeadBytes = 64 << 10;

}  // namespace

struct HttpClientCodec::Callbacks {
  static HttpClientCodec& codec(llhttp_t* parser) {
    return *static_cast<HttpClientCodec*>(parser->data);
  }

  // Names and values come in parts, where a read ends in their midst.
  static int on_header_field(llhttp_t* parser, const char* at, std::size_t size) {
    HttpClientCodec& self = codec(parser);
    if (self.headers_whole_) return 0;
    if (self.places_.empty() || self.name_whole_) {
      self.places_.push_back({.name_start = self.head_.size()});
      self.name_whole_ = false;
    }
    self.places_.back().name_size += size;
    return self.keep(at, size);
  }
  static int on_header_field_complete(llhttp_t* parser) {
    codec(parser).name_whole_ = true;
    return 0;
  }
  static int on_header_value(llhttp_t* parser, const char* at, std::size_t size) {
    HttpClientCodec& self = codec(parser);
    if (self.headers_whole_) return 0;
    self.places_.back().value_size += size;
    return self.keep(at, size);
  }
  // The answer to a HEAD ends with its head.
  static int on_headers_complete(llhttp_t* parser) {
    HttpClientCodec& self = codec(parser);
    self.headers_whole_ = true;
    if ((parser->flags & F_CONTENT_LENGTH) != 0) self.announced_bytes_ = parser->content_length;
    self.keep_alive_ = llhttp_should_keep_alive(parser) != 0;
    return self.expected_.front() == HttpMethod::kHead ? 1 : 0;
  }
  static int on_body(llhttp_t* parser, const char* at, std::size_t size) {
    HttpClientCodec& self = codec(parser);
    if (size > self.body_limit_bytes_ - self.body_.size()) {
      self.too_large_ = true;
      return -1;
    }
    self.body_.append(std::string_view(at, size), self.announced_bytes_);
    return 0;
  }
  static int on_message_complete(llhttp_t* parser) {
    codec(parser).message_complete_ = true;
    return HPE_PAUSED;
  }

  static const llhttp_settings_t* settings() {
    static const llhttp_settings_t kSettings = [] {
      llhttp_settings_t settings;
      llhttp_settings_init(&settings);
      settings.on_header_field = on_header_field;
      settings.on_header_field_complete = on_header_field_complete;
      settings.on_header_value = on_header_value;
      settings.on_headers_complete = on_headers_complete;
      settings.on_body = on_body;
      settings.on_message_complete = on_message_complete;
      return settings;
    }();
    return &kSettings;
  }
};

HttpClientCodec::HttpClientCodec(std::string host, std::size_t body_bytes)
    : host_(std::move(host)), body_limit_bytes_(body_bytes) {
  begin_reply();
}

void HttpClientCodec::append_request(HttpMethod method, std::string_view target,
                                     std::string_view header_lines, ByteView body,
                                     std::string& output) {
  ANCHOR_ASSERT(method != HttpMethod::kOther && target.starts_with('/'));
  output.append(method_name(method)).append(" ").append(target).append(" HTTP/1.1\r\nHost: ");
  output.append(host_).append("\r\n").append(header_lines);
  if (method == HttpMethod::kPut || method == HttpMethod::kPost) {
    output.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n");
  } else {
    ANCHOR_ASSERT(body.empty());
  }
  output.append("\r\n").append(as_text(body));
  expected_.push_back(method);
}

void HttpClientCodec::begin_reply() {
  llhttp_init(&parser_, HTTP_RESPONSE, Callbacks::settings());
  parser_.data = this;
  head_.clear();
  places_.clear();
  announced_bytes_ = 0;
  name_whole_ = headers_whole_ = message_complete_ = too_large_ = false;
}

int HttpClientCodec::keep(const char* at, std::size_t size) {
  too_large_ = size > kHeadBytes - head_.size();
  if (too_large_) return -1;
  head_.append(at, size);
  return 0;
}

HttpClientCodec::Parsed HttpClientCodec::parse(std::string_view& input) {
  while (!failed_ && !input.empty()) {
    if (expected_.empty()) return fail("the server sent what nobody asked for");
    if (message_complete_) begin_reply();
    const llhttp_errno_t error = llhttp_execute(&parser_, input.data(), input.size());
    if (too_large_) return fail("the server's reply is too large");
    if (!message_complete_) {
      if (error != HPE_OK) {
        return fail(std::string("the server's reply is malformed: ") +
                    llhttp_get_error_reason(&parser_));
      }
      input = {};
      break;
    }
    input.remove_prefix(static_cast<std::size_t>(llhttp_get_error_pos(&parser_) - input.data()));
    if (!interim()) return finish_reply();
  }
  return HttpNeedsMore{};
}

HttpClientCodec::Parsed HttpClientCodec::end_of_input() {
  if (failed_ || expected_.empty()) return HttpNeedsMore{};
  if (headers_whole_ && !message_complete_) {
    llhttp_finish(&parser_);
    if (message_complete_) return finish_reply();
  }
  return fail("the server closed the connection before its reply");
}

HttpClientCodec::Parsed HttpClientCodec::finish_reply() {
  headers_.clear();
  for (const HeaderPlace& place : places_) {
    const auto from_name = std::string_view(head_).substr(place.name_start);
    headers_.push_back(
        {from_name.substr(0, place.name_size),
         without_trailing_space(from_name.substr(place.name_size, place.value_size))});
  }
  expected_.pop_front();
  return HttpReply{.status = parser_.status_code,
                   .headers = headers_,
                   .body = body_.take(),
                   .keep_alive = keep_alive_};
}

HttpClientCodec::Parsed HttpClientCodec::fail(std::string message) {
  failed_ = true;
  return Error{std::move(message)};
}

}  // namespace anchor::io
