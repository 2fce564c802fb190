#include "tests/cluster/http_client.h"

#include <memory>
#include <utility>
#include <variant>

namespace anchor::cluster {

std::string HttpAnswer::header(std::string_view name) const {
  for (const auto& [each, value] : headers) {
    if (io::equals_ignoring_case(each, name)) return value;
  }
  return {};
}

Result<HttpAnswer> HttpClient::request(io::HttpMethod method, std::string_view target,
                                       const HttpExtra& extra) {
  if (auto sent = send(method, target, extra); !sent) return std::unexpected(sent.error());
  return receive();
}

Result<void> HttpClient::send(io::HttpMethod method, std::string_view target,
                              const HttpExtra& extra) {
  if (auto connected = connect(); !connected) return connected;
  std::string bytes;
  session_->codec.append_request(method, target, extra.header_lines, as_bytes(extra.body), bytes);
  return send_to_session(bytes);
}

Result<void> HttpClient::send_bytes(io::HttpMethod method, std::string_view bytes) {
  if (auto connected = connect(); !connected) return connected;
  std::string unsent;
  session_->codec.append_request(method, "/", {}, {}, unsent);
  return send_to_session(bytes);
}

Result<void> HttpClient::connect() {
  if (session_) return {};
  auto connection = Connection::open(endpoint_, patience_);
  if (!connection) return std::unexpected(connection.error());
  session_ = std::make_unique<Session>(std::move(*connection),
                                       endpoint_.address + ":" + std::to_string(endpoint_.port));
  return {};
}

Result<void> HttpClient::send_to_session(std::string_view bytes) {
  auto sent = session_->connection.send(bytes);
  if (!sent) session_.reset();
  return sent;
}

Result<HttpAnswer> HttpClient::receive() {
  const auto fail = [this](const Error& error) {
    session_.reset();
    return std::unexpected(error);
  };
  while (true) {
    std::string_view input = session_->unparsed;
    const auto parsed = session_->codec.parse(input);
    if (const auto* error = std::get_if<Error>(&parsed)) return fail(*error);
    if (const auto* reply = std::get_if<io::HttpReply>(&parsed)) {
      HttpAnswer answer{.status = reply->status, .body = std::string(reply->body.text())};
      for (const auto& [name, value] : reply->headers) answer.headers.emplace_back(name, value);
      session_->unparsed = input;
      if (!reply->keep_alive) session_.reset();
      return answer;
    }
    auto more = session_->connection.receive(patience_);
    if (!more) return fail(more.error());
    if (more->empty()) return fail({"closed without an answer"});
    session_->unparsed = std::move(*more);
  }
}

Result<HttpAnswer> HttpClient::receive_until(std::string_view wanted) {
  std::string& text = session_->unparsed;
  // An event ends there, and a chunk: the last one may follow.
  while (!text.contains(wanted) || !text.ends_with("\n\n\r\n")) {
    const auto more = session_->connection.receive(patience_);
    if (more && !more->empty()) {
      text += *more;
      continue;
    }
    const std::string reason = more ? "it has ended" : more.error().message;
    const std::string so_far = std::exchange(session_, nullptr)->unparsed;
    return failure(reason + "; so far: " + so_far);
  }
  text += "0\r\n\r\n";
  auto answer = receive();
  session_.reset();
  return answer;
}

Result<HttpAnswer> post_json(HttpClient server, std::string_view path, const nlohmann::json& body) {
  return server.request(
      io::HttpMethod::kPost, path,
      {.header_lines = "Content-Type: application/json\r\n", .body = body.dump()});
}

std::optional<nlohmann::json> status_of(HttpClient server) {
  const auto answer = server.get("/status");
  if (!answer || answer->status != 200) return std::nullopt;
  return nlohmann::json::parse(answer->body);
}

bool is_ready(HttpClient server) {
  const auto answer = server.get("/readyz");
  return answer && answer->status == 200;
}

}  // namespace anchor::cluster
