#include "io/http_output.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace anchor::io {
namespace {

// Below this a copy costs less than another piece in the write.
constexpr std::size_t kCopiedValueBytes = 8 << 10;
constexpr std::size_t kKeptBufferBytes = 64 << 10;

std::string_view status_line(int status) {
  switch (status) {
    case 200:
      return "HTTP/1.1 200 OK\r\n";
    case 304:
      return "HTTP/1.1 304 Not Modified\r\n";
    case 307:
      return "HTTP/1.1 307 Temporary Redirect\r\n";
    case 400:
      return "HTTP/1.1 400 Bad Request\r\n";
    case 404:
      return "HTTP/1.1 404 Not Found\r\n";
    case 405:
      return "HTTP/1.1 405 Method Not Allowed\r\n";
    case 408:
      return "HTTP/1.1 408 Request Timeout\r\n";
    case 409:
      return "HTTP/1.1 409 Conflict\r\n";
    case 410:
      return "HTTP/1.1 410 Gone\r\n";
    case 411:
      return "HTTP/1.1 411 Length Required\r\n";
    case 412:
      return "HTTP/1.1 412 Precondition Failed\r\n";
    case 413:
      return "HTTP/1.1 413 Content Too Large\r\n";
    case 414:
      return "HTTP/1.1 414 URI Too Long\r\n";
    case 415:
      return "HTTP/1.1 415 Unsupported Media Type\r\n";
    case 417:
      return "HTTP/1.1 417 Expectation Failed\r\n";
    case 429:
      return "HTTP/1.1 429 Too Many Requests\r\n";
    case 431:
      return "HTTP/1.1 431 Request Header Fields Too Large\r\n";
    case 500:
      return "HTTP/1.1 500 Internal Server Error\r\n";
    case 503:
      return "HTTP/1.1 503 Service Unavailable\r\n";
    case 504:
      return "HTTP/1.1 504 Gateway Timeout\r\n";
    case 507:
      return "HTTP/1.1 507 Insufficient Storage\r\n";
    default:
      assertion_failed(__FILE__, __LINE__, "a status without a reason phrase");
  }
}

ByteView body_view(const HttpResponse& response) {
  if (const auto* text = std::get_if<std::string>(&response.body)) return as_bytes(*text);
  const auto& item = std::get<kv::ItemRef>(response.body);
  return item ? item->value() : ByteView{};
}

}  // namespace

void HttpOutput::append_value(kv::ItemRef item) {
  if (!item) return;
  if (item->value().size() <= kCopiedValueBytes) return append(as_text(item->value()));
  size_bytes_without_text_ += item->value().size();
  values_.push_back({text_.size(), std::move(item)});
}

void HttpOutput::collect(std::size_t skip_bytes, std::vector<ByteView>& pieces) const {
  pieces.clear();
  const auto add = [&](ByteView piece) {
    const std::size_t skipped = std::min(skip_bytes, piece.size());
    skip_bytes -= skipped;
    if (piece.size() > skipped) pieces.push_back(piece.subspan(skipped));
  };
  const ByteView text = as_bytes(text_);
  std::size_t text_done = 0;
  for (const Value& value : values_) {
    add(text.subspan(text_done, value.text_offset - text_done));
    add(value.item->value());
    text_done = value.text_offset;
  }
  add(text.subspan(text_done));
}

void HttpOutput::clear() {
  if (text_.capacity() > kKeptBufferBytes) {
    text_ = {};
  } else {
    text_.clear();
  }
  values_.clear();
  size_bytes_without_text_ = 0;
}

void append_response(const HttpResponse& response, const HttpFraming& framing,
                     std::string_view common_lines, HttpOutput& output) {
  output.append(status_line(response.status));
  output.append(common_lines);
  output.append(response.header_lines);
  if (!framing.keep_alive) {
    output.append("Connection: close\r\n");
  } else if (framing.version_1_0) {
    output.append("Connection: keep-alive\r\n");
  }
  // A 304 has no body, and its length would be that of the body which it spares (RFC 9110, 8.6).
  if (response.status == 304) return output.append("\r\n");

  const std::size_t length = body_view(response).size();
  char digits[20];
  const auto end = std::to_chars(std::begin(digits), std::end(digits), length).ptr;
  output.append("Content-Length: ");
  output.append(std::string_view(digits, end));
  output.append("\r\n\r\n");
  if (framing.head) return;
  if (const auto* text = std::get_if<std::string>(&response.body)) return output.append(*text);
  output.append_value(std::get<kv::ItemRef>(response.body));
}

void append_continue(HttpOutput& output) {
  output.append("HTTP/1.1 100 Continue\r\n\r\n");
}

}  // namespace anchor::io
