#include "server/founder.h"

#include <utility>

#include "core/codec/founding_codec.h"
#include "io/uv_support.h"
#include "server/system.h"

namespace anchor::server {
namespace {

constexpr Duration kCallTimeout = 1s;

}  // namespace

Founder::Founder(uv_loop_t* loop, FoundCluster beginning, const io::DataDirectory& directory,
                 io::PeerTransport& transport, Log& log, Handlers handlers)
    : founding_(std::move(beginning.options), std::move(beginning.accepted)),
      directory_(directory),
      transport_(transport),
      log_(log),
      handlers_(std::move(handlers)) {
  ANCHOR_ASSERT(uv_timer_init(loop, &timer_) == 0);
  timer_.data = this;
}

Founder::~Founder() {
  ANCHOR_ASSERT(!open_handle_);
}

void Founder::start() {
  step();
}

void Founder::step() {
  if (over_) return;
  carry_out(founding_.step(boottime_now()));
  if (over_) return;
  uv_timer_start(
      &timer_, [](uv_timer_t* timer) { static_cast<Founder*>(timer->data)->step(); },
      ceil_ms(founding_.deadline() - boottime_now()), 0);
}

Bytes Founder::answer(const Bytes& request) {
  const auto decoded = codec::decode_founding_request(request);
  if (!decoded || over_) {
    const std::string reason = decoded ? "it is being founded" : decoded.error().message;
    return codec::encode_founding_reply(FoundingRefused{reason});
  }
  Founding::Output output;
  const FoundingReply reply = founding_.answer(*decoded, output);
  carry_out(std::move(output));
  return codec::encode_founding_reply(reply);
}

void Founder::carry_out(Founding::Output output) {
  if (output.store) {
    if (auto stored = store_proposal(directory_, *output.store); !stored) {
      return handlers_.exit(kExitStorage, stored.error().message);
    }
  }
  for (const std::string& note : output.notes) log_.info("founding: " + note);
  for (const Founding::Call& each : output.calls) call(each);
  if (output.rejected) {
    over_ = true;
    handlers_.exit(kExitIdentity, *output.rejected);
  } else if (output.founded) {
    over_ = true;
    handlers_.founded(*output.founded);
  }
}

void Founder::call(const Founding::Call& call) {
  transport_.call_found(call.address, codec::encode_founding_request(call.request), kCallTimeout,
                        [this, address = call.address](const Result<Bytes>& answer) {
                          if (!over_) take_answer(address, answer);
                        });
}

// Lost, or from something that is no anchor: it will be asked again.
void Founder::take_answer(const std::string& address, const Result<Bytes>& answer) {
  if (!answer) return warn_once(address, answer.error().message);
  const auto reply = codec::decode_founding_reply(*answer);
  if (!reply) {
    return warn_once(address, "no sound answer from " + address + ": " + reply.error().message);
  }
  last_failures_.erase(address);
  carry_out(founding_.replied(address, *reply));
}

void Founder::warn_once(const std::string& address, const std::string& failure) {
  if (std::exchange(last_failures_[address], failure) != failure) log_.warn("founding: " + failure);
}

void Founder::close() {
  over_ = true;
  uv_close(io::as_uv_handle(timer_),
           [](uv_handle_t* handle) { static_cast<Founder*>(handle->data)->open_handle_ = false; });
}

}  // namespace anchor::server
