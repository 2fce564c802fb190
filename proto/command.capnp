@0xbf8562da77c135ec;
# Commands of the key-value store as log entries carry them, and the store's answers.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("anchor::proto");

struct Condition {
  union {
    always @0 :Void;
    ifAbsent @1 :Void;
    ifPresent @2 :Void;
    ifModRevision @3 :UInt64;
  }
}

struct Command {
  union {
    put :group {
      key @0 :Data;
      value @1 :Data;
      condition @2 :Condition;
      wantPrevious @3 :Bool;
    }
    delete :group {
      key @4 :Data;
      condition @5 :Condition;
      wantPrevious @6 :Bool;
    }
  }
}

struct KeyValue {
  key @0 :Data;
  value @1 :Data;
  createRevision @2 :UInt64;
  modRevision @3 :UInt64;
  version @4 :UInt64;
  lease @5 :UInt64;
}

struct CommandResult {
  union {
    putDone :group {
      revision @0 :UInt64;
      previous @1 :KeyValue;  # null: none
    }
    deleteDone :group {
      revision @2 :UInt64;
      deleted @3 :Bool;
      previous @4 :KeyValue;
    }
    conditionFailed :group {
      revision @5 :UInt64;
      modRevision @6 :UInt64;
    }
    invalidCommand @7 :Void;
  }
}
