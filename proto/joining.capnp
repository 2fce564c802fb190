@0xc4a51f0e9b7d2386;
# What a server that is to join a cluster, or is to be found elsewhere, asks of a member; see
# core/joining.h.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("anchor::proto");

using Admin = import "admin.capnp";

struct JoinRequest {
  clusterId @0 :UInt64;  # zero: whichever it is
  request @1 :Admin.AdminRequest;  # addServer or moveServer
}

struct JoinReply {
  clusterId @0 :UInt64;  # of the one who answers; zero: it is in none
  union {
    answer @1 :Admin.AdminAnswer;
    notNow @2 :Text;  # why
  }
}

# The file "joining": what a server must not forget between asking and being a member.
struct JoinToken {
  serverId @0 :Text;
  token @1 :UInt64;
}
