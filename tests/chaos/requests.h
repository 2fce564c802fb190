#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "io/http_message.h"
#include "tests/chaos/history.h"
#include "tests/cluster/http_client.h"

namespace anchor::chaos {

// What a client asks of a server at once: something of one key; of several in a transaction, in the
// one revision that all of them share; or of all keys, in one list.
struct Request {
  enum class Form : std::uint8_t { kKey, kTransaction, kList };

  Form form = Form::kKey;
  std::vector<Operation> parts{};
  bool by_lease = false;
  // With the next number of the client's session: it may be sent again.
  bool in_session = false;

  bool writes() const;
  // Its parts are answered together.
  Operation::Outcome outcome() const { return parts.front().outcome; }
  bool served() const { return answered(parts.front()); }
};

struct Sent {
  io::HttpMethod method{};
  std::string target{};
  std::string body{};
};
Sent to_http(const Request& request);

// What each part was told. What is no answer to the request leaves it as it is, unknown.
void take(const cluster::HttpAnswer& answer, Request& request);

// Zero if it does not begin with one.
std::uint64_t number_in(std::string_view text);

}  // namespace anchor::chaos
