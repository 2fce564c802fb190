#pragma once

#include <uv.h>

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "core/founding.h"
#include "io/data_directory.h"
#include "io/peer_transport.h"
#include "server/log.h"
#include "server/start_up.h"

namespace anchor::server {

// The shell of core/founding.h: asks over the transport, stores before it answers.
class Founder {
 public:
  struct Handlers {
    // The cluster exists. Nothing is asked or answered after it.
    std::function<void(const FoundingProposal&)> founded;
    // The process must end.
    std::function<void(int code, const std::string& message)> exit;
  };

  // All references outlive it.
  Founder(uv_loop_t* loop, FoundCluster beginning, const io::DataDirectory& directory,
          io::PeerTransport& transport, Log& log, Handlers handlers);
  // Requires: the loop has turned since it was closed, and the transport, which may still bring
  // answers to it, is closed.
  ~Founder();
  Founder(const Founder&) = delete;
  Founder& operator=(const Founder&) = delete;

  void start();
  Bytes answer(const Bytes& request);
  // It asks and answers no more.
  void close();

 private:
  void step();
  void carry_out(Founding::Output output);
  void call(const Founding::Call& call);
  void take_answer(const std::string& address, const Result<Bytes>& answer);
  void warn_once(const std::string& address, const std::string& failure);

  Founding founding_;
  const io::DataDirectory& directory_;
  io::PeerTransport& transport_;
  Log& log_;
  Handlers handlers_;
  // By address, while it lasts: it is asked again and again, and said once.
  std::map<std::string, std::string> last_failures_;
  uv_timer_t timer_{};
  bool over_ = false;
  bool open_handle_ = true;
};

}  // namespace anchor::server
