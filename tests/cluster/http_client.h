#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "io/http_client_codec.h"
#include "tests/cluster/connection.h"

namespace anchor::cluster {

struct HttpAnswer {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers{};
  std::string body{};

  // The first with this name, in any case; empty if there is none.
  std::string header(std::string_view name) const;
};

// What is sent beside a request's target.
struct HttpExtra {
  std::string header_lines{};  // whole lines, each with its CRLF
  std::string body{};
};

// A client of one server: one request at a time, over a connection that is kept while it lasts.
class HttpClient {
 public:
  explicit HttpClient(std::uint16_t port) : HttpClient(Endpoint{.port = port}) {}
  // Waits for nothing longer than the patience.
  explicit HttpClient(Endpoint endpoint, Duration patience = kPatience)
      : endpoint_(std::move(endpoint)), patience_(patience) {}

  void set_patience(Duration patience) { patience_ = patience; }

  // An error: there was no answer.
  Result<HttpAnswer> request(io::HttpMethod method, std::string_view target,
                             const HttpExtra& extra = {});
  Result<HttpAnswer> get(std::string_view target) { return request(io::HttpMethod::kGet, target); }
  Result<HttpAnswer> put(std::string_view target, std::string body) {
    return request(io::HttpMethod::kPut, target, {.body = std::move(body)});
  }

  // The two halves of a request. Requires of the second: the first.
  Result<void> send(io::HttpMethod method, std::string_view target, const HttpExtra& extra = {});
  Result<HttpAnswer> receive();
  // Of an answer without an end, a stream of events: those that there are once `wanted` is in them,
  // as if it ended there. The connection ends with it.
  Result<HttpAnswer> receive_until(std::string_view wanted);
  // In the place of a request with this method: bytes of the test's choice.
  Result<void> send_bytes(io::HttpMethod method, std::string_view bytes);

 private:
  struct Session {
    Session(Connection opened, std::string host)
        : connection(std::move(opened)), codec(std::move(host)) {}

    Connection connection;
    io::HttpClientCodec codec;
    std::string unparsed{};
  };

  Result<void> connect();
  Result<void> send_to_session(std::string_view bytes);

  Endpoint endpoint_;
  Duration patience_;
  std::unique_ptr<Session> session_;
};

// What is asked of a server beside keys. None: it does not answer.
Result<HttpAnswer> post_json(HttpClient server, std::string_view path, const nlohmann::json& body);
std::optional<nlohmann::json> status_of(HttpClient server);
bool is_ready(HttpClient server);

}  // namespace anchor::cluster
