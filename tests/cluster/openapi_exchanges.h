#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "io/http_message.h"

// The requests with which docs/openapi.yaml is held against servers.
namespace anchor::cluster {

// A request, sent once by each of the methods, and the status that it gets.
struct Exchange {
  std::vector<io::HttpMethod> methods;
  std::string target;
  int status = 0;
  std::string header_lines{};
  std::string body{};
};
using Exchanges = std::vector<Exchange>;

// What a server answers that belongs to no cluster.
extern const Exchanges kWithoutCluster;
extern const Exchanges kReads;
// The first session is that of number 1.
extern const Exchanges kWrites;
extern const Exchanges kTransactions;
// Full, of sessions and of keys, and without a history.
extern const Exchanges kBounds;
// Of a cluster of n1, n2 and n3; nobody is where n4 is said to be.
extern const Exchanges kAdministration;
// Which alone knows how far the others are; n4 is to catch up, and does not.
extern const Exchanges kOnLeader;
// Of a leader whose followers have fallen silent, one after another over one connection.
extern const Exchanges kWithoutQuorum;

// What is described and not walked. One change of the members is under way at a time, and that of
// which nobody knows whether it comes to pass is the /join of kWithoutQuorum.
extern const std::map<std::string, std::set<int>> kExceptions;

}  // namespace anchor::cluster
