#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "core/base/assert.h"
#include "core/base/text.h"
#include "io/json_bytes.h"
#include "server/json_answer.h"
#include "server/kv_json.h"
#include "server/lease_answer.h"
#include "server/routes.h"

// What the replica answers, as HTTP; how requests are understood is in routes.cc.
namespace anchor::server {
namespace {

using io::HttpResponse;

std::string entity_tag(kv::Revision revision) {
  return '"' + std::to_string(revision.value()) + '"';
}

HttpResponse ok() {
  HttpResponse response;
  response.add_header("Content-Type", "text/plain; charset=utf-8");
  response.body = "OK\n";
  return response;
}

HttpResponse render_put(const kv::PutDone& done, const KvAnswer& answer) {
  HttpResponse response;
  if (answer.want_previous) {
    std::string json = "{";
    append_number(json, "revision", done.revision.value());
    append_previous(json, done.previous);
    json.push_back('}');
    response = json_answer(std::move(json));
  } else {
    response = ok();
  }
  response.add_header("ETag", entity_tag(done.revision));
  response.add_header("Anchor-Revision", done.revision.value());
  response.add_header("Anchor-Lease", done.lease.value());
  return response;
}

HttpResponse render_delete(const kv::DeleteDone& done, const KvAnswer& answer) {
  HttpResponse response;
  if (answer.want_previous) {
    std::string json = "{";
    append_number(json, "revision", done.revision.value());
    json.append(done.deleted ? ",\"deleted\":1" : ",\"deleted\":0");
    append_previous(json, done.previous);
    json.push_back('}');
    response = json_answer(std::move(json));
  } else {
    response = ok();
  }
  response.add_header("Anchor-Revision", done.revision.value());
  response.add_header("Anchor-Deleted", done.deleted ? "1" : "0");
  return response;
}

HttpResponse render_range_deleted(const kv::RangeDeleted& done) {
  HttpResponse response =
      json_answer({{"revision", done.revision.value()}, {"deleted", done.deleted}});
  response.add_header("Anchor-Revision", done.revision.value());
  return response;
}

// In a transaction. `prev` stands there if there was one, since whether it was wanted is not told
// apart from that.
void append_result(std::string& json, const kv::OperationResult& result) {
  if (const auto* put = std::get_if<kv::PutResult>(&result)) {
    json.append("{\"op\":\"put\"");
    if (put->previous) append_previous(json, put->previous);
  } else if (const auto* erase = std::get_if<kv::DeleteResult>(&result)) {
    json.append("{\"op\":\"delete\",");
    append_number(json, "deleted", erase->deleted);
    if (!erase->previous.empty()) {
      json.append(",\"prev\":");
      append_items(json, erase->previous);
    }
  } else {
    const auto& get = std::get<kv::GetResult>(result);
    json.append("{\"op\":\"get\",\"kvs\":");
    append_items(json, get.items, get.keys_only);
    json.push_back(',');
    append_number(json, "count", get.count);
    json.append(get.more ? ",\"more\":true" : ",\"more\":false");
  }
  json.push_back('}');
}

HttpResponse render_transaction(const kv::TransactionDone& done) {
  std::string json = "{";
  append_number(json, "revision", done.revision.value());
  json.append(done.succeeded ? ",\"succeeded\":true" : ",\"succeeded\":false");
  json.append(",\"results\":[");
  for (const kv::OperationResult& result : done.results) {
    if (&result != &done.results.front()) json.push_back(',');
    append_result(json, result);
  }
  json.append("]}");
  HttpResponse response = json_answer(std::move(json));
  response.add_header("Anchor-Revision", done.revision.value());
  return response;
}

HttpResponse render_condition_failed(const kv::ConditionFailed& failed, const KvAnswer& answer) {
  const bool absent = failed.mod_revision == kv::Revision(0);
  HttpResponse response = render_error(
      {.status = 412,
       .code = "condition_failed",
       .message = absent ? "there is no such key"
                         : "the key's revision is " + std::to_string(failed.mod_revision.value())},
      answer.error_style);
  response.add_header("ETag", entity_tag(failed.mod_revision));
  response.add_header("Anchor-Revision", failed.revision.value());
  return response;
}

// Values are whatever somebody stored: a browser must neither guess that one is a page nor run it.
void add_value_headers(const kv::Item& item, HttpResponse& response) {
  response.add_header("Content-Type", valid_utf8(as_text(item.value()))
                                          ? "text/plain; charset=utf-8"
                                          : "application/octet-stream");
  response.add_header("X-Content-Type-Options", "nosniff");
  response.add_header("Content-Security-Policy", "default-src 'none'; sandbox");
}

void add_read_headers(kv::Revision revision, raft::Index applied_index,
                      const std::optional<Duration>& age, HttpResponse& response) {
  response.add_header("Anchor-Revision", revision.value());
  response.add_header("X-Applied-Index", applied_index.value());
  if (age) response.add_header("Anchor-Age-Ms", whole_milliseconds(*age));
}

HttpResponse render_read(const ReadDone& done, const KvAnswer& answer) {
  HttpResponse response;
  if (!done.item) {
    response = render_error({.status = 404, .code = "not_found", .message = "no such key"},
                            answer.error_style);
  } else {
    const kv::Revision revision = done.item->mod_revision();
    const auto& known = answer.known;
    const bool same =
        known.any || std::ranges::find(known.revisions, revision) != known.revisions.end();
    if (same) {
      response.status = 304;
    } else {
      add_value_headers(*done.item, response);
      response.body = done.item;
    }
    response.add_header("ETag", entity_tag(revision));
    response.add_header("Cache-Control", "no-cache");
    response.add_header("Anchor-Create-Revision", done.item->create_revision().value());
    response.add_header("Anchor-Version", done.item->version());
    response.add_header("Anchor-Lease", done.item->lease().value());
  }
  add_read_headers(done.revision, done.applied_index, done.age, response);
  return response;
}

HttpResponse render_range(const RangeRead& read, const KvAnswer& answer) {
  HttpResponse response;
  response.add_header("Content-Type", "application/json");
  response.add_header("Cache-Control", "no-cache");
  add_read_headers(read.revision, read.applied_index, read.age, response);
  response.body = list_parts(read.view, answer.page);
  return response;
}

HttpResponse render_leases(const LeasesRead& read) {
  HttpResponse response;
  response.add_header("Content-Type", "application/json");
  response.add_header("Cache-Control", "no-cache");
  add_read_headers(read.revision, read.applied_index, {}, response);
  response.body = lease_parts(read.leases);
  return response;
}

HttpResponse render_compacted(const RevisionCompacted& read, const KvAnswer& answer) {
  HttpResponse response =
      render_error({.status = 410,
                    .code = "compacted",
                    .message = "the revision is compacted: the oldest that can be read is " +
                               std::to_string(read.oldest.value())},
                   answer.error_style);
  response.add_header("Anchor-Compacted-Revision", read.oldest.value());
  add_read_headers(read.revision, read.applied_index, read.age, response);
  return response;
}

HttpResponse render_future(const RevisionInFuture& future, const KvAnswer& answer) {
  HttpResponse response =
      render_error({.code = "bad_parameter",
                    .message = "the revision is in the future: the store's is " +
                               std::to_string(future.revision.value())},
                   answer.error_style);
  response.add_header("Anchor-Revision", future.revision.value());
  response.add_header("X-Applied-Index", future.applied_index.value());
  return response;
}

HttpResponse no_leader(ErrorStyle style, const std::optional<LeaderInfo>& leader) {
  return render_error({.status = 503,
                       .code = "no_leader",
                       .message = "no leader could take the request; it was not applied",
                       .retry_after_ms = kRetryAfterMs},
                      style, leader);
}

struct Renderer {
  const KvAnswer& answer;
  const std::optional<LeaderInfo>& leader;

  HttpResponse error(const ApiError& what) const { return render_error(what, answer.error_style); }

  HttpResponse operator()(const WriteApplied& applied) const {
    return std::visit(*this, applied.result);
  }
  HttpResponse operator()(const kv::PutDone& done) const { return render_put(done, answer); }
  HttpResponse operator()(const kv::DeleteDone& done) const { return render_delete(done, answer); }
  HttpResponse operator()(const kv::ConditionFailed& failed) const {
    return render_condition_failed(failed, answer);
  }
  HttpResponse operator()(const kv::RangeDeleted& done) const { return render_range_deleted(done); }
  HttpResponse operator()(const kv::TransactionDone& done) const {
    return render_transaction(done);
  }
  HttpResponse operator()(const kv::LeaseGranted& granted) const {
    return render_granted(granted.id, granted.ttl);
  }
  HttpResponse operator()(const kv::LeaseRevoked& revoked) const {
    HttpResponse response =
        json_answer({{"revision", revoked.revision.value()}, {"deleted", revoked.deleted}});
    response.add_header("Anchor-Revision", revoked.revision.value());
    return response;
  }
  HttpResponse operator()(const LeaseTold& told) const {
    if (!told.answer) return (*this)(kv::LeaseUnknown{});
    const bool looked_at = answer.kind == KvAnswer::Kind::kRead;
    return looked_at ? render_lease(answer.lease, *told.answer)
                     : render_granted(answer.lease, told.answer->ttl);
  }
  HttpResponse operator()(const LockAnswer& lock) const {
    return render_lock(lock, answer.error_style);
  }
  HttpResponse operator()(const kv::LeaseUnknown&) const {
    return error({.status = 404,
                  .code = "not_found",
                  .message = "there is no such lease, or none any more; nothing was applied"});
  }
  HttpResponse operator()(const kv::LeasesFull&) const {
    return error({.status = 429,
                  .code = "overloaded",
                  .message = "there are as many leases as may be; nothing was applied",
                  .retry_after_ms = kRetryAfterMs});
  }
  HttpResponse operator()(const kv::SessionOpened& opened) const {
    return json_answer({{"id", opened.id.value()}, {"ttl_ms", whole_milliseconds(opened.ttl)}});
  }
  HttpResponse operator()(const kv::SessionClosed&) const { return ok(); }
  HttpResponse operator()(const kv::SessionsExpired& expired) const {
    return json_answer({{"expired", expired.count}});
  }
  HttpResponse operator()(const kv::SettingsChanged& changed) const {
    return render_settings(changed.settings);
  }
  HttpResponse operator()(const kv::OverQuota&) const {
    return error({.status = 507,
                  .code = "no_space",
                  .message = "the store has grown to its quota; the write was not applied. Deletes "
                             "still work, and make room"});
  }
  HttpResponse operator()(const kv::SessionUnknown&) const {
    return error({.status = 404, .code = "not_found", .message = "there is no such session"});
  }
  HttpResponse operator()(const kv::SessionExpired&) const {
    return error({.status = 410,
                  .code = "session_expired",
                  .message = "the session has ended; nothing was applied now, but whether an "
                             "earlier try of a write was cannot be told"});
  }
  HttpResponse operator()(const kv::SessionOutOfOrder& order) const {
    return error({.status = 409,
                  .code = "session_order",
                  .message = "the session's last number is " + std::to_string(order.last_sequence) +
                             ": the next write has the one after it; this one was not applied"});
  }
  HttpResponse operator()(const kv::SessionsFull&) const {
    return error({.status = 429,
                  .code = "overloaded",
                  .message = "as many sessions are open as may be; none was opened",
                  .retry_after_ms = kRetryAfterMs});
  }
  HttpResponse operator()(const kv::ResultTooLarge&) const {
    return error({.status = 413,
                  .code = "too_large",
                  .message = "the previous values that were asked for are more than 2 MiB; nothing "
                             "was applied"});
  }
  // Only leaders propose what has these answers.
  HttpResponse operator()(const kv::LeasesExpired&) const { return (*this)(kv::InvalidCommand{}); }
  HttpResponse operator()(const kv::DigestNoted&) const { return (*this)(kv::InvalidCommand{}); }
  HttpResponse operator()(const kv::DigestJudged&) const { return (*this)(kv::InvalidCommand{}); }
  HttpResponse operator()(const kv::InvalidCommand&) const {
    return error({.status = 500, .code = "internal", .message = "the store refused the command"});
  }
  HttpResponse operator()(const ReadDone& done) const { return render_read(done, answer); }
  HttpResponse operator()(const RangeRead& read) const { return render_range(read, answer); }
  HttpResponse operator()(const LeasesRead& read) const { return render_leases(read); }
  HttpResponse operator()(const RevisionCompacted& read) const {
    return render_compacted(read, answer);
  }
  HttpResponse operator()(const RevisionInFuture& future) const {
    return render_future(future, answer);
  }
  HttpResponse operator()(const NotApplied& refused) const {
    switch (refused.reason) {
      case Refusal::kNoLeader:
        return no_leader(answer.error_style, leader);
      case Refusal::kStateDistrusted:
        return render_error(state_distrusted(), answer.error_style, leader);
      case Refusal::kShortOfDisk:
        return render_error(
            {.status = 507,
             .code = "no_space",
             .message = "no quorum has room on its disks; the write was not applied. Deletes "
                        "still work; make room, and writes go on by themselves",
             .retry_after_ms = kRetryAfterMs},
            answer.error_style, leader);
      case Refusal::kOverloaded:
        break;
    }
    return render_error(overloaded(), answer.error_style, leader);
  }
  HttpResponse operator()(const AdminDone&) const {
    ANCHOR_ASSERT(false, "no answer to a request for keys");
    return {};
  }
  HttpResponse operator()(const OutcomeUnknown&) const {
    // A read that nobody answered has changed nothing.
    if (answer.kind == KvAnswer::Kind::kRead) return no_leader(answer.error_style, leader);
    return render_error({.status = 504,
                         .code = "unknown_outcome",
                         .message = "the write may or may not be applied, now or later",
                         .outcome_unknown = true},
                        answer.error_style, leader);
  }
};

}  // namespace

HttpResponse render_settings(const kv::Settings& settings) {
  nlohmann::ordered_json json;
  for (const kv::Setting& setting : kv::kSettings) {
    json[std::string(setting.name)] = settings.*setting.value;
  }
  return json_answer(json);
}

HttpResponse render(const Outcome& outcome, const KvAnswer& answer,
                    const std::optional<LeaderInfo>& leader) {
  return std::visit(Renderer{answer, leader}, outcome);
}

HttpResponse render_redirect(const KvRequest& request, const std::optional<LeaderInfo>& leader) {
  ANCHOR_ASSERT(request.redirect_target);
  if (!leader || leader->http_address.empty()) {
    return no_leader(request.answer.error_style, leader);
  }
  HttpResponse response{.status = 307};
  response.add_header("Content-Type", "text/plain; charset=utf-8");
  response.add_header("Location", "http://" + leader->http_address + *request.redirect_target);
  response.add_header("X-Raft-Leader", leader->id);
  response.body = "the leader is " + leader->id + "\n";
  return response;
}

}  // namespace anchor::server
