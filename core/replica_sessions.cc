#include "core/replica.h"

// How a replica applies commands, and as the leader ends sessions that nobody uses; the rest of it
// is in replica.cc.
namespace anchor {

kv::CommandResult Replica::apply(const Bytes& payload) {
  const auto command = kv::decode_command(payload);
  if (!command) return kv::InvalidCommand{};
  kv::CommandResult result = store_.apply(*command);
  if (const auto* opened = std::get_if<kv::SessionOpened>(&result)) {
    session_expiry_.used(opened->id, opened->ttl, now_);
  } else if (command->session) {
    const auto session = store_.sessions().find(command->session->session);
    if (session) session_expiry_.used(session->id, session->ttl, now_);
  }
  return result;
}

void Replica::expire_sessions() {
  if (!raft_.is_leader() || raft_.transferring()) return;
  while (session_expiry_.due() && *session_expiry_.due() <= now_) {
    kv::ExpireSessions expire = session_expiry_.take_due(store_.sessions(), now_);
    if (expire.sessions.empty()) continue;
    // Refused, it is tried again after another time-out: they are idle for longer then.
    static_cast<void>(raft_.propose(kv::encode_command(kv::Command(std::move(expire)))));
  }
}

}  // namespace anchor
