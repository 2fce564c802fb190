#pragma once

#include <compare>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/time.h"
#include "io/http_codec.h"
#include "io/http_message.h"
#include "io/http_output.h"

namespace anchor::io {

// Names a request until it is answered. Never used twice in a process.
struct HttpTicket {
  std::uint64_t connection = 0;
  std::uint64_t sequence = 0;

  friend auto operator<=>(const HttpTicket&, const HttpTicket&) = default;
};

// Who answers requests.
class HttpHandler {
 public:
  virtual ~HttpHandler() = default;

  // To be answered exactly once under `ticket`: within this call, or later. What `request` views
  // lives only as long as this call, and only until the answer.
  virtual void handle(const HttpRequest& request, HttpTicket ticket) = 0;
  // The answer to what is no request. `partial` is what was understood of it, or null.
  virtual HttpResponse refuse(const HttpRefusal& refusal, const HttpRequest* partial) = 0;
  // The client of a request that is not answered yet has gone, or sends no more, which mostly means
  // that. It is to be answered all the same.
  virtual void abandoned(HttpTicket /*ticket*/) {}
};

// One connection without its socket: bytes in, bytes out, the time as an argument. Requests may be
// answered in any order; the answers leave in the order of the requests (RFC 9112, 9.3.2). What it
// holds is bounded: when that much is waiting, it asks that the socket not be read.
class HttpConnection {
 public:
  // All references must outlive the connection. `common_lines` are the header lines of every
  // response.
  HttpConnection(std::uint64_t id, const HttpLimits& limits, const std::string& common_lines,
                 HttpHandler& handler, Instant now);

  // What arrived. May call the handler.
  void receive(Instant now, std::string_view bytes);
  // The client sends no more; it may still be reading. Requires: reads().
  void end_of_input();
  // Requires: the request was handed out and is not answered.
  void respond(std::uint64_t sequence, HttpResponse response);
  // Takes one more request at most: that which is arriving, or comes next. The connection ends with
  // its answer, or else with the answers that are due.
  void drain(Instant now);
  // The connection is gone.
  void abandon();

  // Whether the socket is to be read.
  bool reads() const;
  bool has_output() const { return !output_.empty(); }
  // Of requests and answers, until these are taken.
  std::size_t held_bytes() const { return held_bytes_ + output_.size_bytes(); }
  // The next part of an answer is to be made before anything more is written. Whoever serves many
  // connections lets these take turns.
  bool part_due() const { return part_due_; }
  // Requires: part_due().
  void make_part();
  // The answer, which had no more at present, has more. No effect on one that did not wait.
  void resume(std::uint64_t sequence);
  // Moves the output to an empty `output`, to be written at once. Requires: what was taken before
  // is written.
  void take_output(Instant now, HttpOutput& output);
  // What was taken is written. Then requests that had to wait go on, which may call the handler.
  void written(Instant now);

  // Says this and takes nothing. Requires: nothing has been received yet.
  void turn_away(const HttpRefusal& refusal);

  // Neither side has anything to say at the moment.
  bool idle() const;
  // All is said and written: the socket is to be closed for writing, and read on, to no effect,
  // until the client closes it.
  bool finished() const { return !accepts_ && slots_.empty() && output_.empty() && !write_began_; }
  // True if the connection is to be aborted. A request that does not become whole is refused.
  bool expire(Instant now);

 private:
  // A request, or something said in its place, until its answer is serialised.
  struct Slot {
    HttpFraming framing{};
    bool interim = false;  // "100 Continue"
    std::size_t held_bytes = 0;
    std::optional<HttpResponse> response{};
    bool begun = false;  // its head is serialised, and the body follows in parts
  };

  bool full() const {
    return slots_.size() >= limits_.waiting_requests || held_bytes_ >= limits_.waiting_bytes;
  }
  // Takes requests from `input`, as far as there is room for them.
  void take_requests(Instant now, std::string_view& input);
  void take(const HttpRequest& request);
  void take(const HttpRefusal& refusal);
  // Serialises the answers whose turn it is.
  void serialise();
  // True: the answer is serialised to its end.
  bool serialise(Slot& slot);
  void drop_first_slot();

  const std::uint64_t id_;
  const HttpLimits& limits_;
  const std::string& common_lines_;
  HttpHandler& handler_;
  HttpCodec codec_;

  std::deque<Slot> slots_;
  std::uint64_t first_sequence_ = 1;  // of slots_.front()
  std::size_t held_bytes_ = 0;        // the sum over the slots
  // Arrived while there was no room.
  std::string unparsed_;
  HttpOutput output_;
  bool part_due_ = false;
  bool accepts_ = true;

  // When the request that is arriving began, or was last able to go on; between requests, when the
  // last one ended.
  Instant since_;
  std::optional<Instant> draining_since_;
  std::optional<Instant> write_began_;
  std::optional<Instant> finished_since_;
};

}  // namespace anchor::io
