@0xddfb4dbf3c75f791;
# Snapshot files: one frame for the header, one for each block, one for the footer. The blocks of
# items come first, then those of changes, of leases, and of sessions.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("anchor::proto");

using Command = import "command.capnp";
using Record = import "record.capnp";

# Of which cluster and position it is stands in every frame, under the frame's checksum, so that a
# part of another snapshot is found.
struct SnapshotFrame {
  clusterId @0 :UInt64;
  index @1 :UInt64;
  term @2 :UInt64;
  union {
    header @3 :SnapshotHeader;
    block @4 :SnapshotBlock;
    footer @5 :SnapshotFooter;
  }
}

struct SnapshotHeader {
  formatVersion @0 :UInt32;
  configurationIndex @1 :UInt64;
  configuration @2 :Record.Configuration;
  revision @3 :UInt64;
  itemCount @4 :UInt64;
  compactedRevision @5 :UInt64;
  nextSession @6 :UInt64;
  settings @7 :List(Command.SettingValue);
  digestCheckNumber @8 :UInt64;
  digestCheckDigest @9 :UInt64;
  nextLease @10 :UInt64;
}

# Keys ascend, also from block to block; so do the changes' revisions, the leases and the sessions.
struct SnapshotBlock {
  ordinal @0 :UInt64;  # from zero
  union {
    items @1 :List(Command.KeyValue);
    changes @2 :List(Change);
    sessions @3 :List(Command.KeyValue);
    leases @4 :List(Command.KeyValue);
  }
}

struct Change {
  revision @0 :UInt64;
  before @1 :Command.KeyValue;  # null: none
  after @2 :Command.KeyValue;
}

# Of one size, whatever it holds: it is found from the file's end.
struct SnapshotFooter {
  blockCount @0 :UInt64;
  itemCount @1 :UInt64;
  digest @2 :UInt64;    # of the store
  checksum @3 :UInt64;  # of the file; core/codec/snapshot_codec.h
}
