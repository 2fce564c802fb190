#include "core/joining.h"

#include <algorithm>
#include <utility>

#include "core/base/assert.h"
#include "core/base/text.h"
#include "core/raft/configuration.h"

namespace anchor {
namespace {

// The member that the configuration has in answer to the request; null: none.
const raft::Member* admitted(const raft::Configuration& configuration,
                             const raft::AdminRequest& request) {
  if (const auto* add = std::get_if<raft::AddServer>(&request)) {
    const raft::Member* member = configuration.find(add->id);
    // Another server of the same name, or this one in an earlier life, has another token.
    return member != nullptr && member->join_token == add->join_token ? member : nullptr;
  }
  const auto& move = std::get<raft::MoveServer>(request);
  if (!configuration.has(move.member)) return nullptr;
  const raft::Member* member = configuration.find(move.member.id);
  const bool there = member->address == move.address && member->http_address == move.http_address;
  return there ? member : nullptr;
}

}  // namespace

Joining::Joining(Options options)
    : options_(std::move(options)), random_(options_.seed), backoff_(options_.backoff_min) {
  ANCHOR_ASSERT(!options_.peers.empty());
  ANCHOR_ASSERT(adds() || std::holds_alternative<raft::MoveServer>(options_.request.request));
}

std::optional<Instant> Joining::deadline() const {
  if (waiting_ || over_) return std::nullopt;
  return due_;
}

Joining::Output Joining::step(Instant now) {
  ANCHOR_ASSERT(now >= now_);
  now_ = now;
  Output output;
  if (waiting_ || over_ || now < due_) return output;
  waiting_ = true;
  output.call = Call{options_.peers[next_], options_.request};
  return output;
}

Joining::Output Joining::replied(const Result<JoinReply>& reply) {
  ANCHOR_ASSERT(waiting_);
  waiting_ = false;
  Output output;
  if (reply) {
    take_answer(*reply, output);
  } else {
    note(reply.error().message, output);
  }
  if (!over_) next_peer();
  return output;
}

// The next one at once, and the first again after a pause.
void Joining::next_peer() {
  due_ = now_;
  next_ = (next_ + 1) % options_.peers.size();
  if (next_ != 0) return;
  due_ += random_.between(backoff_ / 2, backoff_ + 1us);
  backoff_ = std::min(2 * backoff_, options_.backoff_max);
}

void Joining::take_answer(const JoinReply& reply, Output& output) {
  const std::string& address = options_.peers[next_];
  raft::ClusterId& cluster_id = options_.request.cluster_id;
  const auto* answer = std::get_if<raft::AdminAnswer>(&reply.answer);
  if (reply.cluster_id == raft::ClusterId()) {
    note(answer == nullptr ? std::get<NotNow>(reply.answer).reason
                           : address + " is in no cluster, but answers for one",
         output);
    return;
  }
  // Whoever asks the members of two clusters would end in both: it stays with the first.
  if (cluster_id == raft::ClusterId()) cluster_id = reply.cluster_id;
  if (cluster_id != reply.cluster_id) {
    return note(address + " belongs to cluster " + hex16(reply.cluster_id.value()) +
                    ", and others that were asked to " + hex16(cluster_id.value()) +
                    ": --peers must name members of one cluster",
                output);
  }
  if (answer == nullptr) return note(std::get<NotNow>(reply.answer).reason, output);
  if (const auto* changed = std::get_if<raft::ConfigurationChanged>(answer)) {
    take_configuration(reply, *changed, output);
  } else if (const auto* refused = std::get_if<raft::AdminRefused>(answer)) {
    over_ = refused->reason == raft::AdminRefusal::kIdentityTaken;
    if (over_) {
      output.rejected = refused->message;
    } else {
      note(refused->message, output);
    }
  } else {
    note(address + " gave an answer to something else", output);
  }
}

void Joining::take_configuration(const JoinReply& reply, const raft::ConfigurationChanged& changed,
                                 Output& output) {
  const raft::Member* member = admitted(*changed.configuration, options_.request.request);
  if (member == nullptr) {
    return note("the cluster changed, but without this server: it asks again", output);
  }
  over_ = true;
  output.joined = Joined{reply.cluster_id, member->peer(), changed.configuration};
}

void Joining::note(const std::string& text, Output& output) {
  std::string& last = last_notes_[options_.peers[next_]];
  if (std::exchange(last, text) != text) output.notes.push_back(text);
}

}  // namespace anchor
