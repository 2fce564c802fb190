#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/base/random.h"
#include "core/base/time.h"
#include "core/raft/configuration.h"
#include "core/raft/types.h"

namespace anchor {

// --- Messages: each request has one reply, or is lost -------------------------------------------

struct Founder {
  raft::ServerId id;
  std::string address;
  std::string http_address;

  friend bool operator==(const Founder&, const Founder&) = default;
};

// A cluster that may come to be. Invariant: founders ascend by id without repeats; the coordinator
// is the first.
struct FoundingProposal {
  raft::ClusterId cluster_id;
  std::vector<Founder> founders;

  const raft::ServerId& coordinator() const { return founders.front().id; }
  friend bool operator==(const FoundingProposal&, const FoundingProposal&) = default;
};
bool valid(const FoundingProposal& proposal);

// "I am here, and whom I see."
struct FoundingHello {
  Founder founder;
  std::uint64_t nonce = 0;
  std::uint32_t expect = 0;
  std::vector<raft::ServerId> seen{};  // ascending, itself included
  bool prepared = false;

  friend bool operator==(const FoundingHello&, const FoundingHello&) = default;
};
struct OutcomeQuery {
  raft::ClusterId cluster_id;
};
using FoundingRequest = std::variant<FoundingHello, FoundingProposal, OutcomeQuery>;

// From a server that belongs to a cluster.
struct AlreadyMember {
  raft::ClusterId cluster_id;
  raft::ServerId id;
  std::vector<raft::ServerId> members{};
};
struct ProposalAccepted {
  raft::ClusterId cluster_id;
  raft::ServerId from;
};
struct FoundingRefused {
  std::string reason;
};
enum class ProposalOutcome : std::uint8_t { kCommitted, kAborted, kUndecided };
struct OutcomeAnswer {
  raft::ClusterId cluster_id;
  raft::ServerId from;
  ProposalOutcome outcome = ProposalOutcome::kUndecided;
};
using FoundingReply =
    std::variant<FoundingHello, AlreadyMember, ProposalAccepted, FoundingRefused, OutcomeAnswer>;

// --- The protocol -------------------------------------------------------------------------------

// Empty servers that found one cluster together, exactly once (two-phase commit with presumed
// abort: Mohan, Lindsay and Obermarck, 1986). They greet all addresses that they were given. When
// one sees exactly as many as expected, all of whom see the same, and its id is the smallest, it
// proposes a cluster; the others store what they accept, and accept nothing else until they know
// what became of it. When all have accepted, the coordinator stores its own member's state: that is
// the moment at which the cluster exists. The others learn it by asking; a coordinator that does
// not know a proposal never committed it.
class Founding {
 public:
  struct Options {
    Founder self;
    // How many servers make the cluster; at least 1.
    std::uint32_t expect = 1;
    std::vector<std::string> peers{};
    std::uint64_t seed = 0;
    Duration interval = 200ms;
  };

  // A request to an address.
  struct Call {
    std::string address;
    FoundingRequest request;
  };
  struct Output {
    // What is to be stored durably before anything else is done, the reply to the request included;
    // the inner one null: there is nothing to remember any more.
    std::optional<std::optional<FoundingProposal>> store{};
    std::vector<Call> calls{};
    // The cluster exists, and this server is in it: it is to store its member's state.
    std::optional<FoundingProposal> founded{};
    // It cannot be a founder: why, and what to do. The process ends.
    std::optional<std::string> rejected{};
    // For the operator.
    std::vector<std::string> notes{};
  };

  // `accepted` is what an earlier start stored.
  Founding(Options options, std::optional<FoundingProposal> accepted);

  // Greets whoever is due. Requires: `now` does not go back.
  Output step(Instant now);
  Instant deadline() const { return due_; }

  // Somebody asks.
  FoundingReply answer(const FoundingRequest& request, Output& output);
  // What the peer at `address` said.
  Output replied(const std::string& address, const FoundingReply& reply);

 private:
  struct Seen {
    FoundingHello hello;
    Instant heard;
  };
  // What a note is about.
  enum class Subject : std::uint8_t { kView, kSameId, kProposal, kRefusal };
  // This server coordinates.
  struct Coordination {
    FoundingProposal proposal;
    std::map<raft::ServerId, bool> accepted;
  };

  FoundingHello hello() const;
  std::vector<raft::ServerId> seen_ids() const;
  void take_hello(const FoundingHello& from, Output& output);
  void take_member(const AlreadyMember& member, const std::string& address, Output& output);
  FoundingReply consider(const FoundingProposal& proposal, Output& output);
  void take_acceptance(const ProposalAccepted& acceptance, Output& output);
  void take_outcome(const OutcomeAnswer& answer, Output& output);
  void propose_if_complete(Output& output);
  bool views_agree(Output& output);
  void note(Subject subject, std::string text, Output& output);

  Options options_;
  Random random_;
  std::uint64_t nonce_;
  Instant now_{};
  Instant due_{};
  // By id; itself not.
  std::map<raft::ServerId, Seen> seen_;
  std::optional<FoundingProposal> accepted_;
  std::optional<Coordination> coordination_;
  // What was noted last: the same is not said again, though in between comes something else.
  std::map<Subject, std::string> last_notes_;
};

// What a member says to servers without a cluster.
FoundingReply answer_as_member(raft::ClusterId cluster_id, const raft::ServerId& self,
                               const raft::Configuration& configuration,
                               const FoundingRequest& request);

// The state that each founder begins with: the configuration as the first entry, in term 1.
raft::Configuration founding_configuration(const FoundingProposal& proposal);
raft::Entry founding_entry(const FoundingProposal& proposal);

}  // namespace anchor
