#pragma once

#include <string>

#include "core/watches.h"

namespace anchor::server {

// What a watch says, as Server-Sent Events (the HTML standard, 9.2), appended to a text.

// "put" with the key-value as it is, or "delete"; with "prev", if wanted, as it was before (null:
// there was none). Its id, the revision, stands at the last one of a revision: who comes back with
// it has seen all of that.
void append_event(std::string& text, const Watches::Event& event, bool previous);
// All is shown up to there.
void append_progress(std::string& text, kv::Revision revision);
// The watch ends, since what it lacks is compacted: the client reads the state, and watches on from
// there.
void append_resync(std::string& text, const Watches::Resync& resync);
// Nothing, so that both ends see that the other is there.
void append_heartbeat(std::string& text);

}  // namespace anchor::server
