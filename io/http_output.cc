#include "io/http_output.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "core/base/assert.h"

namespace anchor::io {
namespace {

// Below this a copy costs less than another piece in the write.
constexpr std::size_t kCopiedValueBytes = 8 << 10;
constexpr std::size_t kKeptBufferBytes = 64 << 10;

// Empty for a status that has none here: the phrase may be left out (RFC 9112, section 4).
std::string_view reason_phrase(int status) {
  struct Reason {
    int status;
    std::string_view phrase;
  };
  static constexpr std::array kReasons = std::to_array<Reason>({
      {200, "OK"},
      {304, "Not Modified"},
      {307, "Temporary Redirect"},
      {400, "Bad Request"},
      {404, "Not Found"},
      {405, "Method Not Allowed"},
      {408, "Request Timeout"},
      {409, "Conflict"},
      {410, "Gone"},
      {411, "Length Required"},
      {412, "Precondition Failed"},
      {413, "Content Too Large"},
      {414, "URI Too Long"},
      {415, "Unsupported Media Type"},
      {417, "Expectation Failed"},
      {429, "Too Many Requests"},
      {431, "Request Header Fields Too Large"},
      {500, "Internal Server Error"},
      {503, "Service Unavailable"},
      {504, "Gateway Timeout"},
      {507, "Insufficient Storage"},
  });
  const auto found = std::ranges::find(kReasons, status, &Reason::status);
  return found == kReasons.end() ? "" : found->phrase;
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
  ANCHOR_ASSERT(response.status >= 200 && response.status <= 999);
  // The space before the phrase is not optional, even if the phrase is.
  output.append("HTTP/1.1 ");
  output.append(std::to_string(response.status));
  output.append(" ");
  output.append(reason_phrase(response.status));
  output.append("\r\n");
  output.append(common_lines);
  output.append(response.header_lines);
  if (!framing.keep_alive) {
    output.append("Connection: close\r\n");
  } else if (framing.version_1_0) {
    output.append("Connection: keep-alive\r\n");
  }
  // A 304 has no body, and its length would be that of the body which it spares (RFC 9110, 8.6).
  if (response.status == 304) return output.append("\r\n");

  if (std::holds_alternative<HttpParts>(response.body)) {
    return output.append("Transfer-Encoding: chunked\r\n\r\n");
  }
  output.append("Content-Length: ");
  output.append(std::to_string(body_view(response).size()));
  output.append("\r\n\r\n");
  if (framing.head) return;
  if (const auto* text = std::get_if<std::string>(&response.body)) return output.append(*text);
  output.append_value(std::get<kv::ItemRef>(response.body));
}

void append_chunk(std::string_view part, HttpOutput& output) {
  std::array<char, 16> size{};
  const auto end = std::to_chars(size.data(), size.data() + size.size(), part.size(), 16).ptr;
  output.append({size.data(), end});
  output.append("\r\n");
  output.append(part);
  output.append("\r\n");
}

void append_last_chunk(HttpOutput& output) {
  output.append("0\r\n\r\n");
}

void append_continue(HttpOutput& output) {
  output.append("HTTP/1.1 100 Continue\r\n\r\n");
}

}  // namespace anchor::io
