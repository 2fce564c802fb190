#include "core/raft/message.h"

namespace anchor::raft {

std::size_t command_bytes(const Proposal& proposal) {
  const auto* command = std::get_if<Command>(&proposal);
  return command == nullptr ? 0 : command->payload.size();
}

namespace {

// No cluster gets there, nor falls so far behind in its servers' lives. Who took over any term that
// it is told, or any index, would soon have none left.
constexpr std::uint64_t kHighest = std::uint64_t{1} << 62;
constexpr std::uint64_t kTermsAheadMost = std::uint64_t{1} << 32;

bool sound(Term term, Term own) {
  return term.value() <= kHighest && term.value() <= own.value() + kTermsAheadMost;
}

bool sound(Index index) {
  return index.value() <= kHighest;
}

bool sound(const Entry& entry) {
  const auto* command = std::get_if<Command>(&entry.payload);
  return command == nullptr || command->payload.size() <= kCommandBytesMost;
}

bool sound(const InstallSnapshot& part, Term term) {
  const LogPosition position = part.file.position;
  return position.index > Index() && sound(position.index) && position.term <= term &&
         part.offset <= part.file.size_bytes;
}

bool sound(const ForwardRequest& request) {
  const auto* query = std::get_if<Query>(&request.proposal);
  if (query != nullptr && query->payload.size() > kQueryBytesMost) return false;
  return command_bytes(request.proposal) <= kCommandBytesMost;
}

// Nobody's data is so old.
bool sound(const Dating& dating) {
  return dating.age >= Duration() && dating.age < std::chrono::years(100) &&
         dating.echo > Instant() && dating.echo < Instant(std::chrono::years(1000));
}

}  // namespace

bool well_formed(const Message& message, Term own) {
  if (!sound(message.term, own)) return false;
  if (const auto* part = std::get_if<InstallSnapshot>(&message.body)) {
    return sound(*part, message.term);
  }
  if (const auto* request = std::get_if<ForwardRequest>(&message.body)) return sound(*request);
  if (const auto* request = std::get_if<RequestVote>(&message.body)) {
    return request->campaign_term == (request->pre_vote ? message.term.next() : message.term) &&
           request->last.term <= message.term && !(request->pre_vote && request->transfer);
  }
  const auto* append = std::get_if<AppendEntries>(&message.body);
  if (append == nullptr) return true;
  if (append->dating && !sound(*append->dating)) return false;
  if (!sound(append->previous.index)) return false;
  LogPosition previous = append->previous;
  for (const Entry& entry : append->entries) {
    if (entry.index != previous.index.next() || entry.term < previous.term) return false;
    if (!sound(entry)) return false;
    previous = {entry.index, entry.term};
  }
  return previous.term <= message.term;
}

}  // namespace anchor::raft
