#include "core/raft/step.h"

namespace anchor::raft {
namespace {

struct Describe {
  std::string operator()(const CampaignStarted& event) const {
    return (event.pre_vote ? "asks whether it would be elected: " : "campaigns: ") + event.reason;
  }
  std::string operator()(const BecameLeader& event) const {
    std::string votes;
    for (const ServerId& id : event.votes) votes += (votes.empty() ? "" : " ") + id.name();
    return "elected leader (votes " + votes + ")";
  }
  std::string operator()(const LostLeadership& event) const {
    return "no longer the leader: " + event.reason;
  }
  std::string operator()(const FollowsLeader& event) const {
    return "follows leader " + event.leader.name();
  }
  std::string operator()(const LeaderLost& event) const {
    return "lost its leader: " + event.reason;
  }
};

}  // namespace

std::string describe(const Event& event) {
  return std::visit(Describe{}, event);
}

Term term_of(const Event& event) {
  return std::visit([](const auto& kind) { return kind.term; }, event);
}

}  // namespace anchor::raft
