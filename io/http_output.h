#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"
#include "core/kv/item.h"
#include "io/http_message.h"

namespace anchor::io {

// Bytes on their way to a socket: text, and in its midst large values, which are shared with the
// store and not copied.
class HttpOutput {
 public:
  void append(std::string_view text) { text_.append(text); }
  void append_value(kv::ItemRef item);

  bool empty() const { return size_bytes_without_text_ == 0 && text_.empty(); }
  std::size_t size_bytes() const { return size_bytes_without_text_ + text_.size(); }
  // What is to be written after the first `skip_bytes`, in order. Valid until this changes.
  void collect(std::size_t skip_bytes, std::vector<ByteView>& pieces) const;
  // Empties it, keeping the text's buffer unless it is unusually large.
  void clear();

 private:
  struct Value {
    std::size_t text_offset;  // it comes before this part of the text
    kv::ItemRef item;
  };

  std::string text_;
  std::vector<Value> values_;
  std::size_t size_bytes_without_text_ = 0;
};

// How a response is framed by the request that it answers.
struct HttpFraming {
  bool head = false;  // the request was a HEAD: the body is announced and not sent
  bool version_1_0 = false;
  bool keep_alive = true;
};

// Appends a whole response. `common_lines` are header lines that every response carries. Of one
// that is made in parts, only the head.
void append_response(const HttpResponse& response, const HttpFraming& framing,
                     std::string_view common_lines, HttpOutput& output);
// One part of a body, not empty; and the end of it.
void append_chunk(std::string_view part, HttpOutput& output);
void append_last_chunk(HttpOutput& output);
void append_continue(HttpOutput& output);

}  // namespace anchor::io
