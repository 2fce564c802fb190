#include "core/raft/message.h"

namespace anchor::raft {
namespace {

// No cluster gets there; but who takes such a term over has few left, or none.
constexpr Term kHighestTerm{std::uint64_t{1} << 62};

// Nobody's data is so old.
bool sound(const Dating& dating) {
  return dating.age >= Duration() && dating.age < std::chrono::years(100) &&
         dating.echo > Instant() && dating.echo < Instant(std::chrono::years(1000));
}

}  // namespace

bool well_formed(const Message& message) {
  if (message.term > kHighestTerm) return false;
  if (const auto* request = std::get_if<RequestVote>(&message.body)) {
    return request->campaign_term == (request->pre_vote ? message.term.next() : message.term) &&
           request->last.term <= message.term && !(request->pre_vote && request->transfer);
  }
  const auto* append = std::get_if<AppendEntries>(&message.body);
  if (append == nullptr) return true;
  if (append->dating && !sound(*append->dating)) return false;
  LogPosition previous = append->previous;
  for (const Entry& entry : append->entries) {
    if (entry.index != previous.index.next() || entry.term < previous.term) return false;
    previous = {entry.index, entry.term};
  }
  return previous.term <= message.term;
}

}  // namespace anchor::raft
