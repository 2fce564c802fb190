#include "server/joiner.h"

#include <utility>

#include "core/base/assert.h"
#include "core/codec/joining_codec.h"
#include "io/uv_support.h"
#include "server/system.h"

namespace anchor::server {
namespace {

// Longer than a member takes to learn the outcome, or that it will not.
constexpr Duration kCallTimeout = 6s;

}  // namespace

Joiner::Joiner(uv_loop_t* loop, Joining::Options options, std::string purpose,
               io::PeerTransport& transport, Log& log, Handlers handlers)
    : joining_(std::move(options)),
      purpose_(std::move(purpose)),
      transport_(transport),
      log_(log),
      handlers_(std::move(handlers)) {
  ANCHOR_ASSERT(uv_timer_init(loop, &timer_) == 0);
  timer_.data = this;
}

Joiner::~Joiner() {
  ANCHOR_ASSERT(!open_handle_);
}

void Joiner::step() {
  if (over_) return;
  carry_out(joining_.step(boottime_now()));
  const auto deadline = joining_.deadline();
  if (over_ || !deadline) return;
  uv_timer_start(
      &timer_, [](uv_timer_t* timer) { static_cast<Joiner*>(timer->data)->step(); },
      ceil_ms(*deadline - boottime_now()), 0);
}

void Joiner::ask(const Joining::Call& call) {
  if (call.address == kSelf) {
    return handlers_.ask_self(call.request, [this](const JoinReply& reply) { take_answer(reply); });
  }
  transport_.call_join(
      call.address, codec::encode_join_request(call.request), kCallTimeout,
      [this, address = call.address](const Result<Bytes>& answer) {
        if (!answer) return take_answer(std::unexpected(answer.error()));
        auto reply = codec::decode_join_reply(*answer);
        if (reply) return take_answer(*reply);
        take_answer(failure("no sound answer from " + address + ": " + reply.error().message));
      });
}

void Joiner::take_answer(const Result<JoinReply>& reply) {
  if (over_) return;
  carry_out(joining_.replied(reply));
  step();
}

void Joiner::carry_out(Joining::Output output) {
  for (const std::string& note : output.notes) log_.warn(purpose_ + ": " + note);
  if (output.call) ask(*output.call);
  over_ = over_ || output.joined || output.rejected;
  if (output.joined) handlers_.joined(*output.joined);
  if (output.rejected) handlers_.rejected(*output.rejected);
}

void Joiner::close() {
  over_ = true;
  if (uv_is_closing(io::as_uv_handle(timer_)) != 0) return;
  uv_close(io::as_uv_handle(timer_),
           [](uv_handle_t* handle) { static_cast<Joiner*>(handle->data)->open_handle_ = false; });
}

}  // namespace anchor::server
