@0xe67d8d470372a07f;
# Messages between servers; see core/raft/message.h, field by field.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("anchor::proto");

using Admin = import "admin.capnp";
using Record = import "record.capnp";

struct Message {
  clusterId @0 :UInt64;
  from @1 :Text;
  fromIncarnation @2 :UInt64;
  fromBoot @3 :UInt64;
  to @4 :Text;
  toIncarnation @42 :UInt64;
  term @5 :UInt64;

  body :union {
    requestVote :group {
      campaignTerm @6 :UInt64;
      preVote @7 :Bool;
      lastIndex @8 :UInt64;
      lastTerm @9 :UInt64;
      transfer @36 :Bool;
    }
    voteReply :group {
      campaignTerm @10 :UInt64;
      preVote @11 :Bool;
      granted @12 :Bool;
    }
    appendEntries :group {
      previousIndex @13 :UInt64;
      previousTerm @14 :UInt64;
      commitIndex @15 :UInt64;
      round @16 :UInt64;
      entries @17 :List(Record.Entry);
      # Microseconds, by the receiver's own clock and by the sender's; no echo: no dating.
      datingBoot @52 :UInt64;
      datingEchoUs @53 :UInt64;
      datingAgeUs @54 :UInt64;
    }
    appendAccepted :group {
      matchIndex @18 :UInt64;
      round @19 :UInt64;
      promiseUs @55 :UInt64;
      sentUs @56 :UInt64;
      snapshotWanted @63 :UInt64;
      shortOfDisk @64 :Bool;
    }
    appendRejected :group {
      previousIndex @20 :UInt64;
      hintIndex @21 :UInt64;
      hintTerm @22 :UInt64;
      round @23 :UInt64;
      promiseUs @57 :UInt64;
      sentUs @58 :UInt64;
    }
    readIndexRequest :group {
      context @24 :UInt64;
      lease @59 :Bool;
    }
    readIndexReply :group {
      context @25 :UInt64;
      requesterBoot @26 :UInt64;
      readIndex @27 :UInt64;
      byLease @60 :Bool;
    }
    forwardRequest :group {
      sequence @28 :UInt64;
      leaderBoot @29 :UInt64;
      leaderTerm @30 :UInt64;
      body :union {
        command @31 :Data;
        admin @37 :Admin.AdminRequest;
        query @65 :Data;
      }
    }
    forwardReply :group {
      requesterBoot @32 :UInt64;
      sequence @33 :UInt64;
      outcome @34 :ForwardOutcome;
      result :union {
        command @35 :Data;
        admin @38 :Admin.AdminAnswer;
      }
    }
    timeoutNow @39 :Void;
    membershipQuery @40 :Void;
    installSnapshot :group {
      index @43 :UInt64;
      term @44 :UInt64;
      sizeBytes @45 :UInt64;
      checksum @46 :UInt64;
      offset @47 :UInt64;
      chunk @48 :Data;
    }
    snapshotAccepted :group {
      index @49 :UInt64;
      term @50 :UInt64;
      receivedBytes @51 :UInt64;
    }
    notMember :group {
      configurationIndex @41 :UInt64;
    }
    digestReport :group {
      index @61 :UInt64;
      digest @62 :UInt64;
    }
  }
}

enum ForwardOutcome {
  applied @0;
  notApplied @1;
  overloaded @2;
  unknown @3;
  shortOfDisk @4;
}
