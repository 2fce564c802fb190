#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "tests/cluster/http_client.h"

namespace anchor::bench {

struct Exchange {
  // Each of these is called from several threads, for one request once at a time.
  std::function<std::string(std::size_t)> target;
  // Empty: it is a GET; else a PUT.
  std::function<std::string(std::size_t)> body{};
  // False: the request is to be sent again, later.
  std::function<bool(std::size_t, const cluster::HttpAnswer&)> take;
};

// Sends so many requests to one server, many at a time over a few connections. Gives up if it does
// not answer.
void exchange(std::uint16_t port, std::size_t count, const Exchange& requests);

// Keys of 32 bytes, numbered, and what is stored under a key of any kind.
std::string numbered_key(std::size_t number);
std::string value_of(const std::string& key, std::size_t bytes);

// Writes the first `count` of the numbered keys.
void fill(std::uint16_t port, std::size_t count, std::size_t value_bytes);
// How many of them are not there with their values.
std::size_t count_wrong(std::uint16_t port, std::size_t count, std::size_t value_bytes);

}  // namespace anchor::bench
