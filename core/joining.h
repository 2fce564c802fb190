#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/base/random.h"
#include "core/base/result.h"
#include "core/base/time.h"
#include "core/raft/admin.h"
#include "core/raft/types.h"

namespace anchor {

// How a server that is in no cluster becomes a member of one, and how a member is found again that
// has moved: it asks whichever member it can reach, over a connection of its own, until a committed
// configuration has it.

// The request is an AddServer or a MoveServer.
struct JoinRequest {
  // Zero: of whichever cluster the one who is asked is a member.
  raft::ClusterId cluster_id;
  raft::AdminRequest request;

  friend bool operator==(const JoinRequest&, const JoinRequest&) = default;
};

// The member could not do it, or does not know what became of it: it is to be asked again.
struct NotNow {
  std::string reason;

  friend bool operator==(const NotNow&, const NotNow&) = default;
};

struct JoinReply {
  // Of the one who answers; zero: it is in none.
  raft::ClusterId cluster_id;
  std::variant<raft::AdminAnswer, NotNow> answer;

  friend bool operator==(const JoinReply&, const JoinReply&) = default;
};

// What a server that joins must not forget, so that it asks the same again after a restart: members
// know it by its token.
struct JoinToken {
  raft::ServerId id;
  std::uint64_t token = 0;

  friend bool operator==(const JoinToken&, const JoinToken&) = default;
};

// The cluster has this server where it wants to be.
struct Joined {
  raft::ClusterId cluster_id;
  raft::Peer self;
  raft::SharedConfiguration configuration;
};

// Asks one member after the other, one at a time. Pure: it has no clock and does no I/O.
class Joining {
 public:
  struct Options {
    // Of a MoveServer, with the cluster's id.
    JoinRequest request;
    // Addresses of members. Requires: at least one.
    std::vector<std::string> peers;
    std::uint64_t seed = 0;
    // After all have been asked in vain; doubled each time, drawn from the upper half.
    Duration backoff_min = 100ms;
    Duration backoff_max = 2s;
  };
  struct Call {
    std::string address;
    JoinRequest request;
  };
  struct Output {
    std::optional<Call> call{};
    // The end, either way:
    std::optional<Joined> joined{};
    // It will not be admitted: why, and what to do.
    std::optional<std::string> rejected{};
    // For the operator, each once.
    std::vector<std::string> notes{};
  };

  explicit Joining(Options options);

  // Asks if it is time. Requires: `now` does not go back.
  Output step(Instant now);
  // None: an answer is due first, or nothing is.
  std::optional<Instant> deadline() const;

  // What the member that was asked said, or why it said nothing. To every call, once.
  Output replied(const Result<JoinReply>& reply);

 private:
  void take_answer(const JoinReply& reply, Output& output);
  void take_configuration(const JoinReply& reply, const raft::ConfigurationChanged& changed,
                          Output& output);
  void next_peer();
  void note(const std::string& text, Output& output);
  bool adds() const { return std::holds_alternative<raft::AddServer>(options_.request.request); }

  Options options_;
  Random random_;
  Instant now_{};
  Instant due_{};
  bool waiting_ = false;
  bool over_ = false;
  std::size_t next_ = 0;  // of the peers
  Duration backoff_;
  // By address: whoever is asked again and again is complained of once.
  std::map<std::string, std::string> last_notes_;
};

}  // namespace anchor
