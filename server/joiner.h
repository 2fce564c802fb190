#pragma once

#include <uv.h>

#include <functional>
#include <string>

#include "core/joining.h"
#include "io/peer_transport.h"
#include "server/log.h"

namespace anchor::server {

// The shell of core/joining.h: asks over the transport, or this server's own replica.
class Joiner {
 public:
  // The place of this server among those that are asked.
  static constexpr const char* kSelf = "";

  struct Handlers {
    // It is where it wants to be. Nothing is asked after it.
    std::function<void(const Joined&)> joined;
    std::function<void(const std::string& why)> rejected;
    // Asks the own replica. Only if kSelf is among those to ask.
    std::function<void(JoinRequest, std::function<void(JoinReply)>)> ask_self{};
  };

  // `purpose` begins each line of the log. All references outlive it.
  Joiner(uv_loop_t* loop, Joining::Options options, std::string purpose,
         io::PeerTransport& transport, Log& log, Handlers handlers);
  // As of a Founder: requires that the loop has turned since it was closed, and that neither the
  // transport nor the replica will bring an answer to it any more.
  ~Joiner();
  Joiner(const Joiner&) = delete;
  Joiner& operator=(const Joiner&) = delete;

  void start() { step(); }
  // It asks no more.
  void close();

 private:
  void step();
  void ask(const Joining::Call& call);
  void take_answer(const Result<JoinReply>& reply);
  void carry_out(Joining::Output output);

  Joining joining_;
  const std::string purpose_;
  io::PeerTransport& transport_;
  Log& log_;
  Handlers handlers_;
  uv_timer_t timer_{};
  bool over_ = false;
  bool open_handle_ = true;
};

}  // namespace anchor::server
