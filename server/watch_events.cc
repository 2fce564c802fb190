#include "server/watch_events.h"

#include "io/json_bytes.h"
#include "server/kv_json.h"

namespace anchor::server {

void append_event(std::string& text, const Watches::Event& event, bool previous) {
  const auto& [change, last_of_revision] = event;
  if (last_of_revision) {
    text.append("id: ").append(std::to_string(change.revision.value())).push_back('\n');
  }
  text.append(change.after ? "event: put\ndata: " : "event: delete\ndata: ");
  if (change.after) {
    append_item(text, *change.after);
  } else {
    text.push_back('{');
    io::append_bytes(text, "key", "key_encoding", change.key());
    append_number(text, "mod_revision", change.revision.value());
    text.push_back('}');
  }
  if (previous) {
    text.pop_back();
    append_previous(text, change.before);
    text.push_back('}');
  }
  text.append("\n\n");
}

void append_progress(std::string& text, kv::Revision revision) {
  text.append("event: progress\ndata: {");
  append_number(text, "revision", revision.value());
  text.append("}\n\n");
}

void append_resync(std::string& text, const Watches::Resync& resync) {
  text.append("event: resync\ndata: {");
  append_number(text, "compacted_revision", resync.compacted.value());
  text.push_back(',');
  append_number(text, "revision", resync.revision.value());
  text.append("}\n\n");
}

void append_heartbeat(std::string& text) {
  text.append(":\n\n");
}

}  // namespace anchor::server
