@0xd6b8f0a3c25e7194;
# What is asked of the leader besides commands, and its answers; see core/raft/admin.h.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("anchor::proto");

using Record = import "record.capnp";

struct AdminRequest {
  union {
    addServer :group {
      id @0 :Text;
      address @1 :Text;
      httpAddress @2 :Text;
      joinToken @3 :UInt64;
      learner @4 :Bool;
    }
    moveServer :group {
      id @5 :Text;
      incarnation @6 :UInt64;
      address @7 :Text;
      httpAddress @8 :Text;
    }
    removeServer :group {
      id @9 :Text;
      force @10 :Bool;
    }
    promoteServer @11 :Text;
    transferLeadership @12 :Text;  # empty: to whoever is best prepared
  }
}

enum AdminRefusal {
  changeInProgress @0;
  notReady @1;
  notFound @2;
  quorumAtRisk @3;
  identityTaken @4;
}

struct AdminAnswer {
  union {
    configurationChanged :group {
      index @0 :UInt64;
      configuration @1 :Record.Configuration;
    }
    leadershipTransferred @2 :Text;
    refused :group {
      reason @3 :AdminRefusal;
      message @4 :Text;
    }
  }
}
