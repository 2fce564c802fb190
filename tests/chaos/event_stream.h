#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "tests/chaos/watch_history.h"

namespace anchor::chaos {

// The answer to GET /watch, as it comes: HTTP/1.1 in chunks, and Server-Sent Events in these.
class EventStream {
 public:
  void take(std::string_view bytes);
  // What it shows next, without heartbeats. None: more must come, or it has ended.
  std::optional<Shown> next();

  // Zero: it has not come yet. With any but 200 nothing is shown.
  int status() const { return status_; }
  // The server has ended it, as it should.
  bool ended() const { return ended_; }
  // What no server should send; empty: nothing. After that nothing more is shown.
  const std::string& fault() const { return fault_; }

 private:
  void take_head();
  void take_chunks();
  std::optional<Shown> read(std::string_view block);
  std::optional<Shown> fail(std::string what);

  // Of the connection's bytes and of the chunks' what has not been looked at.
  std::string raw_;
  std::string text_;
  std::size_t at_ = 0;  // in the text
  int status_ = 0;
  bool ended_ = false;
  std::string fault_;
};

}  // namespace anchor::chaos
