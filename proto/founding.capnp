@0xa3d1f2c47be05916;
# How servers without a cluster found one together; see core/founding.h.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("anchor::proto");

struct Founder {
  id @0 :Text;
  address @1 :Text;
  httpAddress @2 :Text;
}

# What a server accepted: it is stored before it is answered.
struct FoundingProposal {
  clusterId @0 :UInt64;
  founders @1 :List(Founder);
}

struct FoundingRequest {
  union {
    hello @0 :FoundingHello;
    prepare @1 :FoundingProposal;
    outcome @2 :UInt64;  # of the proposal with this cluster id
  }
}

struct FoundingHello {
  founder @0 :Founder;
  # Drawn at each start: tells a server from another of the same name.
  nonce @1 :UInt64;
  expect @2 :UInt32;
  seen @3 :List(Text);
  # It accepted a proposal and does not know yet what became of it.
  prepared @4 :Bool;
}

enum ProposalOutcome {
  committed @0;
  aborted @1;
  undecided @2;
}

struct FoundingReply {
  union {
    hello @0 :FoundingHello;
    member :group {
      clusterId @1 :UInt64;
      id @2 :Text;
      members @3 :List(Text);
    }
    accepted :group {
      clusterId @4 :UInt64;
      from @5 :Text;
    }
    refused @6 :Text;  # why
    outcome :group {
      clusterId @7 :UInt64;
      from @8 :Text;
      outcome @9 :ProposalOutcome;
    }
  }
}
