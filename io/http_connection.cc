#include "io/http_connection.h"

#include <utility>

#include "core/base/assert.h"

namespace anchor::io {
namespace {

std::size_t body_bytes(const HttpResponse& response) {
  if (const auto* text = std::get_if<std::string>(&response.body)) return text->size();
  const auto* item = std::get_if<kv::ItemRef>(&response.body);
  return item != nullptr && *item ? (*item)->value().size() : 0;
}

// Who does not know chunks gets it whole.
void make_whole(HttpResponse& response) {
  auto* parts = std::get_if<HttpParts>(&response.body);
  if (parts == nullptr) return;
  std::string whole;
  while (const auto part = (*parts)()) {
    ANCHOR_ASSERT(!part->empty(), "it does not wait");
    whole += *part;
  }
  response.body = std::move(whole);
}

}  // namespace

HttpConnection::HttpConnection(std::uint64_t id, const HttpLimits& limits,
                               const std::string& common_lines, HttpHandler& handler, Instant now)
    : id_(id),
      limits_(limits),
      common_lines_(common_lines),
      handler_(handler),
      codec_(limits),
      since_(now) {}

void HttpConnection::receive(Instant now, std::string_view bytes) {
  if (!accepts_) return;
  if (!unparsed_.empty()) {
    unparsed_.append(bytes);
    return;
  }
  if (!codec_.in_request()) since_ = now;
  take_requests(now, bytes);
  if (accepts_) unparsed_ = bytes;
}

void HttpConnection::end_of_input() {
  ANCHOR_ASSERT(unparsed_.empty());
  abandon();
  if (!accepts_) return;
  if (codec_.in_request()) {
    take(HttpRefusal{400, "bad_request", "the request ended before its end"});
    serialise();
  }
  accepts_ = false;
}

void HttpConnection::abandon() {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (!slots_[i].interim && !slots_[i].response) handler_.abandoned({id_, first_sequence_ + i});
  }
}

void HttpConnection::respond(std::uint64_t sequence, HttpResponse response) {
  ANCHOR_ASSERT(sequence >= first_sequence_ && sequence - first_sequence_ < slots_.size());
  Slot& slot = slots_[sequence - first_sequence_];
  ANCHOR_ASSERT(!slot.interim && !slot.response, "a request is answered once");
  held_bytes_ -= slot.held_bytes;
  if (slot.framing.version_1_0) make_whole(response);
  // Also a value counts: it may have been overwritten, and be held by nobody else.
  slot.held_bytes = body_bytes(response);
  held_bytes_ += slot.held_bytes;
  slot.response = std::move(response);
  serialise();
}

void HttpConnection::drain(Instant now) {
  draining_since_ = now;
  const bool arriving = codec_.in_request() || !unparsed_.empty();
  if (arriving || slots_.empty()) return;
  accepts_ = false;
  slots_.back().framing.keep_alive = false;
}

void HttpConnection::turn_away(const HttpRefusal& refusal) {
  take(refusal);
  serialise();
}

bool HttpConnection::reads() const {
  return !accepts_ || (unparsed_.empty() && !full());
}

bool HttpConnection::idle() const {
  return accepts_ && slots_.empty() && unparsed_.empty() && output_.empty() && !write_began_ &&
         !codec_.in_request();
}

void HttpConnection::take_output(Instant now, HttpOutput& output) {
  ANCHOR_ASSERT(output.empty() && !write_began_);
  std::swap(output_, output);
  write_began_ = now;
}

void HttpConnection::written(Instant now) {
  write_began_.reset();
  serialise();
  const bool in_parts = !slots_.empty() && slots_.front().begun;
  if (in_parts && output_.empty()) part_due_ = true;
  if (!unparsed_.empty() && !full()) {
    std::string bytes = std::exchange(unparsed_, {});
    std::string_view input = bytes;
    take_requests(now, input);
    if (accepts_) unparsed_ = input;
  }
  // The client could not go on before.
  since_ = now;
}

bool HttpConnection::expire(Instant now) {
  if (write_began_) return now - *write_began_ >= limits_.write_timeout;
  if (finished()) {
    if (!finished_since_) finished_since_ = now;
    return now - *finished_since_ >= limits_.linger_timeout;
  }
  if (!accepts_ || !reads()) return false;
  if (draining_since_ && codec_.in_request() && now - *draining_since_ >= limits_.drain_timeout) {
    take(HttpRefusal{503, "not_ready", "this node is shutting down; the request was not applied"});
    serialise();
    return false;
  }
  if (codec_.in_request()) {
    const Duration timeout = codec_.in_body() ? limits_.request_timeout : limits_.head_timeout;
    if (now - since_ < timeout) return false;
    take(HttpRefusal{408, "bad_request", "the request took too long to arrive"});
    serialise();
    return false;
  }
  return slots_.empty() && output_.empty() && now - since_ >= limits_.idle_timeout;
}

void HttpConnection::take_requests(Instant now, std::string_view& input) {
  while (accepts_ && !input.empty() && !full()) {
    const HttpParsed parsed = codec_.parse(input);
    if (std::holds_alternative<HttpNeedsMore>(parsed)) break;
    if (std::holds_alternative<HttpExpectsContinue>(parsed)) {
      slots_.push_back({.interim = true});
    } else if (const auto* request = std::get_if<HttpRequest>(&parsed)) {
      take(*request);
      since_ = now;
    } else {
      take(std::get<HttpRefusal>(parsed));
    }
    serialise();
  }
}

void HttpConnection::take(const HttpRequest& request) {
  const bool keep_alive = request.keep_alive && !draining_since_;
  slots_.push_back({.framing = {.head = request.method == HttpMethod::kHead,
                                .version_1_0 = request.version_1_0,
                                .keep_alive = keep_alive},
                    .held_bytes = request.body.size()});
  held_bytes_ += request.body.size();
  accepts_ = keep_alive;
  handler_.handle(request, {id_, first_sequence_ + slots_.size() - 1});
}

void HttpConnection::take(const HttpRefusal& refusal) {
  const HttpRequest* partial = codec_.partial();
  const bool head = partial != nullptr && partial->method == HttpMethod::kHead;
  slots_.push_back({.framing = {.head = head, .keep_alive = false},
                    .response = handler_.refuse(refusal, partial)});
  accepts_ = false;
}

void HttpConnection::serialise() {
  while (!slots_.empty() && output_.size_bytes() < limits_.output_bytes) {
    Slot& slot = slots_.front();
    if (slot.interim) {
      append_continue(output_);
    } else if (!slot.response || slot.begun || !serialise(slot)) {
      return;
    }
    drop_first_slot();
  }
}

bool HttpConnection::serialise(Slot& slot) {
  append_response(*slot.response, slot.framing, common_lines_, output_);
  const bool in_parts = std::holds_alternative<HttpParts>(slot.response->body);
  if (!in_parts || slot.framing.head || slot.response->status == 304) return true;
  slot.begun = part_due_ = true;
  return false;
}

void HttpConnection::make_part() {
  ANCHOR_ASSERT(part_due_ && slots_.front().begun);
  part_due_ = false;
  const auto part = std::get<HttpParts>(slots_.front().response->body)();
  if (part) {
    if (!part->empty()) append_chunk(*part, output_);
    return;
  }
  append_last_chunk(output_);
  drop_first_slot();
  serialise();
}

// After a write it is asked for more anyway.
void HttpConnection::resume(std::uint64_t sequence) {
  const bool waits = sequence == first_sequence_ && !slots_.empty() && slots_.front().begun;
  if (waits && output_.empty() && !write_began_) part_due_ = true;
}

void HttpConnection::drop_first_slot() {
  held_bytes_ -= slots_.front().held_bytes;
  slots_.pop_front();
  ++first_sequence_;
}

}  // namespace anchor::io
