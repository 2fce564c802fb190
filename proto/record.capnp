@0x9ea4daaa6a40a374;
# What is stored: log records, and what configurations look like, in the log and in messages.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("anchor::proto");

struct Member {
  id @0 :Text;
  incarnation @1 :UInt64;
  address @2 :Text;
  httpAddress @3 :Text;
  joinToken @4 :UInt64;
  awaitsPromotion @5 :Bool;
}

struct Configuration {
  members @0 :List(Member);
  voters @1 :List(Text);
  outgoingVoters @2 :List(Text);
  learners @3 :List(Text);
}

struct Entry {
  index @0 :UInt64;
  term @1 :UInt64;
  payload :union {
    noOp @2 :Void;
    command @3 :Data;
    configuration @4 :Configuration;
  }
}

# A record of the database "logs". Which cluster, index and term it is for is inside the checksum of
# its frame, so that a record in a wrong place is found.
struct LogRecord {
  clusterId @0 :UInt64;
  entry @1 :Entry;
}

# What a server that has joined was told of the members, in the database "stable": what it knows of
# them until its log says it.
struct Membership {
  clusterId @0 :UInt64;
  configuration @1 :Configuration;
}

# The newest hard state: in the database "stable", and in the file "hardstate".
struct HardState {
  clusterId @0 :UInt64;
  serverId @1 :Text;
  incarnation @2 :UInt64;
  boot @3 :UInt64;
  term @4 :UInt64;
  votedFor @5 :Text;  # empty: nobody
  votedForIncarnation @6 :UInt64;
  longestPromiseUs @7 :UInt64;
  distrusted @8 :UInt64;
}
