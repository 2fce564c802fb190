#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "io/http_message.h"

// The requests with which docs/openapi.yaml is held against servers.
namespace anchor::cluster {

// A request, sent once by each of the methods, and the status that it gets. "{token}" in its target
// stands for that of the lock that was acquired last.
struct Exchange {
  std::vector<io::HttpMethod> methods;
  std::string target;
  int status = 0;
  std::string header_lines{};
  std::string body{};
  // Of an answer without an end: it is read until this is in it.
  std::string until{};
};
using Exchanges = std::vector<Exchange>;

// What a server answers that belongs to no cluster.
extern const Exchanges kWithoutCluster;
extern const Exchanges kReads;
// The first session is that of number 1.
extern const Exchanges kWrites;
extern const Exchanges kTransactions;
// What was there and is not any more they show too.
extern const Exchanges kWatches;
// The first lease is that of number 1.
extern const Exchanges kLeases;
extern const Exchanges kLocks;
// Full, of sessions, of leases and of keys, and without a history.
extern const Exchanges kBounds;
// Of a cluster of n1, n2 and n3; nobody is where n4 is said to be.
extern const Exchanges kAdministration;
// Which alone knows how far the others are; n4 is to catch up, and does not.
extern const Exchanges kOnLeader;
// Of a follower, when its leader has just fallen silent.
extern const Exchanges kWithoutLeader;
// Of a leader whose followers have fallen silent, one after another over one connection.
extern const Exchanges kWithoutQuorum;

// What is described and not walked. One change of the members is under way at a time, and that of
// which nobody knows whether it comes to pass is the /join of kWithoutQuorum. Who releases a lock
// reads first, which needs a quorum too.
extern const std::map<std::string, std::set<int>> kExceptions;

}  // namespace anchor::cluster
