#include "core/raft/step.h"

namespace anchor::raft {
namespace {

struct Describe {
  std::string operator()(const CampaignStarted& event) const {
    return (event.pre_vote ? "asks whether it would be elected: " : "campaigns: ") + event.reason;
  }
  std::string operator()(const BecameLeader& event) const {
    return "elected leader (votes " + names_of(event.votes) + ")";
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
  std::string operator()(const ConfigurationAppended& event) const {
    return "changes the members: " + event.change;
  }
  std::string operator()(const TransferStarted& event) const {
    return "hands leadership over to " + event.target.name() + ": " + event.reason;
  }
  std::string operator()(const TransferFailed& event) const {
    return "leads on: " + event.target.name() + " did not take leadership over in time";
  }
  std::string operator()(const SnapshotSent& event) const {
    return (event.installed ? "has sent the snapshot at index " : "sends the snapshot at index ") +
           std::to_string(event.position.index.value()) + " to " + event.follower.name();
  }
  std::string operator()(const SnapshotDistrusted& event) const {
    return "the snapshot at index " + std::to_string(event.position.index.value()) +
           " arrives damaged: most likely its file is, and another is taken; look at the disk";
  }
  std::string operator()(const SnapshotInstalled& event) const {
    return "installed the snapshot at index " + std::to_string(event.position.index.value());
  }
  std::string operator()(const SnapshotTaken& event) const {
    return "has taken a snapshot at index " + std::to_string(event.file.position.index.value()) +
           " of " + std::to_string(event.file.size_bytes) + " bytes";
  }
  std::string operator()(const LogCompacted& event) const {
    return "the log begins after index " + std::to_string(event.base.value());
  }
  std::string operator()(const LogRoomChanged& event) const {
    if (event.room == LogRoom::kAmple) return "takes writes at any pace: the log is short enough";
    const std::string kept = names_of(event.kept_for);
    return std::string(event.room == LogRoom::kNone ? "refuses writes" : "slows writes down") +
           ": the log has " + std::to_string(event.bytes) + " bytes, " +
           (kept.empty() ? "and no snapshot of it is done yet"
                         : "kept until " + kept + (event.kept_for.size() == 1 ? " has" : " have") +
                               " caught up");
  }
  std::string operator()(const DiskRoomChanged& event) const {
    if (event.enough) return "takes writes that grow: a quorum has room on its disks";
    return "refuses writes that grow: no quorum that answers has room on its disks; make some on " +
           names_of(event.short_of_disk);
  }
  std::string operator()(const StateDistrusted& event) const {
    return "answers nothing: the state at index " + std::to_string(event.index.value()) +
           " is wrong, or may be: " + event.reason;
  }
  std::string operator()(const StateTrusted& event) const {
    return "answers again: the state at index " + std::to_string(event.index.value()) +
           " is the majority's";
  }
  std::string operator()(const Removed& event) const {
    return "removed from the cluster by the configuration at index " +
           std::to_string(event.configuration_index.value());
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
