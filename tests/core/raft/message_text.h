#pragma once

#include <string>
#include <variant>
#include <vector>

#include "core/raft/configuration.h"
#include "core/raft/message.h"

// Messages as one line of words, for transcripts. A position is written index@term.
namespace anchor::raft {

inline std::string text_of(Index index) {
  return std::to_string(index.value());
}
inline std::string text_of(LogPosition position) {
  return text_of(position.index) + "@" + std::to_string(position.term.value());
}

inline std::string text_of(const Configuration& configuration) {
  std::string text;
  const auto list = [&](const char* title, const std::vector<ServerId>& ids) {
    if (ids.empty()) return;
    text += (text.empty() ? "" : "; ") + std::string(title);
    for (const ServerId& id : ids) text += " " + id.name();
  };
  list("voters", configuration.voters);
  list("outgoing", configuration.outgoing_voters);
  list("learners", configuration.learners);
  return text;
}

inline std::string text_of(const Entry& entry) {
  const std::string position = text_of(LogPosition{entry.index, entry.term});
  if (std::holds_alternative<NoOp>(entry.payload)) return position + " (no-op)";
  if (const auto* command = std::get_if<Command>(&entry.payload)) {
    return position + " (" + std::string(command->payload.text()) + ")";
  }
  return position + " (" + text_of(*std::get<SharedConfiguration>(entry.payload)) + ")";
}

struct TextOfBody {
  std::string operator()(const RequestVote& request) const {
    return std::string(request.pre_vote ? "would you vote for me" : "vote for me") + " in term " +
           std::to_string(request.campaign_term.value()) + "? My log ends at " +
           text_of(request.last) + (request.transfer ? "; the leader asked me to" : "");
  }
  std::string operator()(const VoteReply& reply) const {
    const std::string what = reply.granted ? "yes" : "no";
    return what + (reply.pre_vote ? ", if you campaign in term " : ", in term ") +
           std::to_string(reply.campaign_term.value());
  }
  std::string operator()(const AppendEntries& request) const {
    std::string text = request.entries.empty() ? "heartbeat" : "append";
    text += " after " + text_of(request.previous);
    for (const Entry& entry : request.entries) text += ", " + text_of(entry);
    return text + "; committed " + text_of(request.commit_index);
  }
  std::string operator()(const AppendAccepted& accepted) const {
    const bool wants = accepted.snapshot_wanted > Index();
    return "my log is yours up to " + text_of(accepted.match_index) +
           (wants ? "; I need a snapshot at " + text_of(accepted.snapshot_wanted) + " or later"
                  : "") +
           (accepted.short_of_disk ? "; I am short of disk" : "");
  }
  std::string operator()(const AppendRejected& rejected) const {
    return "my log is not yours at " + text_of(rejected.previous_index) + "; it may be at " +
           text_of(rejected.hint);
  }
  std::string operator()(const InstallSnapshot& part) const {
    return "snapshot at " + text_of(part.file.position) + ", from byte " +
           std::to_string(part.offset) + " of " + std::to_string(part.file.size_bytes);
  }
  std::string operator()(const SnapshotAccepted& accepted) const {
    return "I have " + std::to_string(accepted.received_bytes) + " bytes of the snapshot at " +
           text_of(accepted.position);
  }
  std::string operator()(const ReadIndexRequest& request) const {
    return "read " + std::to_string(request.context) + ": what is committed?";
  }
  std::string operator()(const ReadIndexReply& reply) const {
    return "read " + std::to_string(reply.context) + ": committed " + text_of(reply.read_index);
  }
  std::string operator()(const TimeoutNow&) const { return "campaign at once"; }
  std::string operator()(const MembershipQuery&) const { return "am I a member?"; }
  std::string operator()(const NotMember& notice) const {
    return "you are no member since " + text_of(notice.configuration_index);
  }
  std::string operator()(const DigestReport& report) const {
    return "my digest at " + text_of(report.index) + " is " + std::to_string(report.digest);
  }
  std::string operator()(const ForwardRequest&) const { return "forwarded request"; }
  std::string operator()(const ForwardReply&) const { return "answer to a forwarded request"; }
};

inline std::string text_of(const Message& message) {
  return message.from.id.name() + " -> " + message.to.id.name() + "  [" +
         std::to_string(message.term.value()) + "] " + std::visit(TextOfBody{}, message.body);
}

}  // namespace anchor::raft
