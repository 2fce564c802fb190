@0xdf0be2edee230baa;
# How servers talk to one another over Cap'n Proto RPC. The contents of a frame are core/codec's.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("anchor::proto");

# Who one is. A connection serves one direction: from the one who said hello.
struct Hello {
  protocolVersion @0 :UInt32;
  clusterId @1 :UInt64;
  serverId @2 :Text;
  incarnation @3 :UInt64;
  boot @4 :UInt64;
  # Where others reach it, "host:port".
  address @5 :Text;
}

# The bootstrap capability.
interface Gate {
  # Refused with a reason in words, or welcomed with the capability to send. Refused for good, if
  # `removedAt` is the index of a configuration: that one has left the sender out, and `welcome`
  # says who says so.
  handshake @0 (hello :Hello, receiver :Text)
      -> (refusal :Text, welcome :Hello, peer :Peer, removedAt :UInt64);

  # A message of the founding protocol (core/founding.h), for a server without a cluster.
  found @1 (message :Data) -> (reply :Data);

  # What a server asks of a member of a cluster to become one, or to be found again
  # (core/joining.h). Returns when the outcome is known.
  join @2 (request :Data) -> (reply :Data);
}

interface Peer {
  # Frames of messages, in order. Returns when they have been taken in, which is the flow control.
  deliver @0 (frames :List(Data)) -> ();
}
