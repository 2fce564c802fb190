#include "io/peer_wire.h"

#include "core/wire/flat_message.h"

namespace anchor::io {
namespace {

// What RPC wraps around a call or an answer, at most.
constexpr std::size_t kEnvelopeBytes = 64 << 10;
constexpr int kNestingLimit = 16;

}  // namespace

capnp::ReaderOptions rpc_limits(const PeerTransportOptions& options) {
  capnp::ReaderOptions limits;
  // The frames of a call have frame_bytes altogether, and their list a word for each, which is less
  // than they have themselves.
  limits.traversalLimitInWords = (2 * options.frame_bytes + kEnvelopeBytes) / sizeof(capnp::word);
  limits.nestingLimit = kNestingLimit;
  return limits;
}

void write_hello(const PeerMembership& membership, proto::Hello::Builder hello) {
  hello.setProtocolVersion(kPeerProtocolVersion);
  hello.setClusterId(membership.cluster_id.value());
  hello.setServerId(membership.self.id.name().c_str());
  hello.setIncarnation(membership.self.incarnation.value());
  hello.setBoot(membership.boot.value());
  hello.setAddress(membership.address.c_str());
}

PeerHello read_hello(proto::Hello::Reader hello) {
  return {.protocol_version = hello.getProtocolVersion(),
          .cluster_id = raft::ClusterId(hello.getClusterId()),
          .peer = {raft::ServerId(std::string(wire::as_text(hello.getServerId()))),
                   raft::Incarnation(hello.getIncarnation())},
          .boot = raft::Boot(hello.getBoot()),
          .address = std::string(wire::as_text(hello.getAddress()))};
}

std::string describe(const kj::Exception& exception) {
  return wire::describe_exception(exception);
}

GateConnection::GateConnection(kj::Own<KjStream> stream, const PeerTransportOptions& options)
    : stream_(kj::mv(stream)),
      network_(*stream_, capnp::rpc::twoparty::Side::CLIENT, rpc_limits(options)),
      system_(capnp::makeRpcClient(network_)) {
  stream_->limit_input(kBytesBeforeHandshake);
}

GateConnection::~GateConnection() noexcept(false) {
  // The other side is to see the connection end, not to be told that this is an error.
  stream_->mute();
}

proto::Gate::Client GateConnection::gate() {
  capnp::MallocMessageBuilder message(8);
  auto server = message.initRoot<capnp::rpc::twoparty::VatId>();
  server.setSide(capnp::rpc::twoparty::Side::SERVER);
  return system_.bootstrap(server).castAs<proto::Gate>();
}

}  // namespace anchor::io
