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
      lease @16 :UInt64;  # zero: none
      ttlUs @17 :UInt64;  # zero: none is granted
    }
    delete :group {
      key @4 :Data;
      condition @5 :Condition;
      wantPrevious @6 :Bool;
    }
    deleteRange @7 :KeyRange;
    transaction @8 :Transaction;
    openSession @9 :Void;
    closeSession @10 :UInt64;
    expireSessions @11 :List(IdleSession);
    changeSettings @12 :List(SettingValue);
    checkDigest @14 :UInt64;
    judgeDigest @15 :DigestCheck;
    grantLeaseUs @18 :UInt64;
    revokeLease @19 :UInt64;
    expireLeases @20 :ExpireLeases;
  }
  session @13 :SessionWrite;  # null: none
}

struct DigestCheck {
  number @0 :UInt64;
  union {
    noMajority @1 :Void;
    digest @2 :UInt64;
  }
}

enum DigestVerdict {
  agrees @0;
  differs @1;
  noMajority @2;
  obsolete @3;
}

struct SessionWrite {
  session @0 :UInt64;
  sequence @1 :UInt64;
}

struct ExpireLeases {
  term @0 :UInt64;
  leases @1 :List(UInt64);
}

struct LeaseQuery {
  lease @0 :UInt64;
  keepAlive @1 :Bool;
}

struct LeaseAnswer {
  union {
    unknown @0 :Void;
    status :group {
      ttlUs @1 :UInt64;
      remainingUs @2 :UInt64;
      keys @3 :List(Data);
      moreKeys @4 :Bool;
    }
  }
}

struct IdleSession {
  session @0 :UInt64;
  lastSequence @1 :UInt64;
}

struct SettingValue {
  name @0 :Text;
  value @1 :UInt64;
}

struct KeyRange {
  start @0 :Data;
  union {
    unbounded @1 :Void;
    end @2 :Data;
  }
}

enum CompareTarget {
  version @0;
  createRevision @1;
  modRevision @2;
  lease @3;
  value @4;
  exists @5;
}

enum CompareOperator {
  equal @0;
  notEqual @1;
  less @2;
  greater @3;
}

struct Compare {
  key @0 :Data;
  target @1 :CompareTarget;
  compare @2 :CompareOperator;
  union {
    number @3 :UInt64;
    bytes @4 :Data;
  }
}

struct Operation {
  union {
    put :group {
      key @0 :Data;
      value @1 :Data;
      wantPrevious @2 :Bool;
      lease @9 :UInt64;
    }
    delete :group {
      range @3 :KeyRange;
      wantPrevious @4 :Bool;
    }
    get :group {
      range @5 :KeyRange;
      limit @6 :UInt64;
      keysOnly @7 :Bool;
      reverse @8 :Bool;
    }
  }
}

struct Transaction {
  compare @0 :List(Compare);
  success @1 :List(Operation);
  failure @2 :List(Operation);
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
      lease @27 :UInt64;
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
    rangeDeleted :group {
      revision @8 :UInt64;
      deleted @9 :UInt64;
    }
    transactionDone :group {
      revision @10 :UInt64;
      succeeded @11 :Bool;
      results @12 :List(OperationResult);
    }
    sessionOpened :group {
      session @13 :UInt64;
      ttlUs @14 :UInt64;
    }
    sessionClosed @15 :Void;
    sessionsExpired @16 :UInt64;
    settingsChanged @17 :List(SettingValue);
    overQuota @18 :UInt64;  # the store's revision
    sessionUnknown @19 :Void;
    sessionExpired @20 :Void;
    sessionOutOfOrder @21 :UInt64;  # the last sequence number
    sessionsFull @22 :Void;
    resultTooLarge @23 :Void;
    digestNoted :group {
      number @24 :UInt64;
      digest @25 :UInt64;
    }
    digestJudged @26 :DigestVerdict;
    leaseGranted :group {
      lease @28 :UInt64;
      ttlUs @29 :UInt64;
    }
    leaseRevoked :group {
      revision @30 :UInt64;
      deleted @31 :UInt64;
    }
    leasesExpired :group {
      revision @32 :UInt64;
      count @33 :UInt64;
      deleted @34 :UInt64;
    }
    leaseUnknown @35 :Void;
    leasesFull @36 :Void;
  }
}

struct OperationResult {
  union {
    put :group {
      previous @0 :KeyValue;  # null: none
    }
    delete :group {
      deleted @1 :UInt64;
      previous @2 :List(KeyValue);
    }
    get :group {
      items @3 :List(KeyValue);
      count @4 :UInt64;
      more @5 :Bool;
      keysOnly @6 :Bool;
    }
  }
}
