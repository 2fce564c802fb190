#include "io/peer_reception.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "core/base/assert.h"
#include "core/codec/message_codec.h"
#include "core/wire/flat_message.h"
#include "io/peer_wire.h"

namespace anchor::io {
PeerReception& PeerReception::Owner::get() {
  if (reception == nullptr || reception->ended_) {
    throw kj::Exception(kj::Exception::Type::DISCONNECTED, __FILE__, __LINE__,
                        kj::str("the connection has ended"));
  }
  return *reception;
}

// Capabilities have no virtual destructor: kj::Own destroys them by their own type.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"

// Where a welcomed server sends its messages to.
class PeerReception::Peer final : public proto::Peer::Server {
 public:
  explicit Peer(kj::Own<Owner> owner) : owner_(kj::mv(owner)) {}

  kj::Promise<void> deliver(DeliverContext context) override {
    PeerReception& reception = owner_->get();
    try {
      reception.take_in(context.getParams());
    } catch (const kj::Exception& exception) {
      reception.cut_off("a malformed call: " + describe(exception));
    }
    return kj::READY_NOW;
  }

 private:
  kj::Own<Owner> owner_;
};

// What everybody gets who connects.
class PeerReception::Gate final : public proto::Gate::Server {
 public:
  explicit Gate(kj::Own<Owner> owner) : owner_(kj::mv(owner)) {}

  kj::Promise<void> handshake(HandshakeContext context) override {
    PeerReception& reception = owner_->get();
    const auto call = context.getParams();
    const auto refusal =
        reception.welcome(read_hello(call.getHello()),
                          raft::ServerId(std::string(wire::as_text(call.getReceiver()))));
    auto answer = context.getResults();
    if (refusal) {
      answer.setRefusal(refusal->reason.c_str());
      if (!refusal->removed_at) return kj::READY_NOW;
      answer.setRemovedAt(refusal->removed_at->value());
      write_hello(*reception.context_.membership, answer.initWelcome());
      return kj::READY_NOW;
    }
    write_hello(*reception.context_.membership, answer.initWelcome());
    answer.setPeer(kj::heap<Peer>(kj::addRef(*owner_)));
    return kj::READY_NOW;
  }

  kj::Promise<void> found(FoundContext context) override {
    PeerReception& reception = owner_->get();
    const Bytes message = Bytes::copy_of(wire::as_view(context.getParams().getMessage()));
    const Bytes reply = reception.context_.handler.on_founding_message(message);
    context.getResults().setReply(wire::as_data(reply.view()));
    return kj::READY_NOW;
  }

  kj::Promise<void> join(JoinContext context) override {
    PeerReception& reception = owner_->get();
    if (std::exchange(reception.joining_, true)) {
      reception.cut_off("a request to join before the answer to the one before it");
      return kj::READY_NOW;
    }
    // The answer may take an election. Nobody waits for it any more if the connection breaks.
    context.allowCancellation();
    auto pair = kj::newPromiseAndFulfiller<Bytes>();
    auto fulfiller = std::make_shared<kj::Own<kj::PromiseFulfiller<Bytes>>>(kj::mv(pair.fulfiller));
    reception.context_.handler.on_join_message(
        Bytes::copy_of(wire::as_view(context.getParams().getRequest())),
        [fulfiller](Bytes reply) { (*fulfiller)->fulfill(std::move(reply)); });
    return pair.promise.then([context, owner = kj::addRef(*owner_)](Bytes&& reply) mutable {
      if (owner->reception != nullptr) owner->reception->joining_ = false;
      context.getResults().setReply(wire::as_data(reply.view()));
    });
  }

 private:
  kj::Own<Owner> owner_;
};

#pragma GCC diagnostic pop

PeerReception::PeerReception(PeerContext& context, kj::Own<KjStream> stream)
    : context_(context),
      stream_(kj::mv(stream)),
      address_(stream_->peer_name()),
      owner_(kj::refcounted<Owner>()),
      network_(*stream_, capnp::rpc::twoparty::Side::SERVER, rpc_limits(context.options)),
      system_(capnp::makeRpcServer(network_,
                                   proto::Gate::Client(kj::heap<Gate>(kj::addRef(*owner_))))) {
  owner_->reception = this;
  stream_->limit_input(kBytesBeforeHandshake);
  auto pair = kj::newPromiseAndFulfiller<void>();
  end_ = kj::mv(pair.fulfiller);
  when_ended_ = kj::mv(pair.promise);
  context_.receptions.push_back(this);
}

PeerReception::~PeerReception() noexcept(false) {
  end();
  owner_->reception = nullptr;
  // The other side is to see the connection end, and no more.
  stream_->mute();
}

kj::Promise<void> PeerReception::until_ended() {
  auto broken = network_.onDisconnect().then([this] {
    if (!stream_->ended_by_peer()) cut_off("what it sends is not of the protocol");
  });
  return when_ended_.exclusiveJoin(kj::mv(broken)).exclusiveJoin(await_handshake());
}

kj::Promise<void> PeerReception::await_handshake() {
  return context_.port.timer()
      .afterDelay(to_kj(context_.options.handshake_timeout))
      .then([this]() -> kj::Promise<void> {
        if (sender_) return kj::NEVER_DONE;
        // Whoever waits for an answer is not to be blamed for it.
        if (joining_) return await_handshake();
        cut_off("no handshake came in time");
        return kj::READY_NOW;
      });
}

void PeerReception::cut_off(const std::string& reason) {
  if (ended_) return;
  end();
  context_.handler.on_cut_off(address_, reason);
}

void PeerReception::end() {
  if (ended_) return;
  ended_ = true;
  std::erase(context_.receptions, this);
  end_->fulfill();
}

std::optional<PeerRefusal> PeerReception::welcome(const PeerHello& hello,
                                                  const raft::ServerId& receiver) {
  if (sender_) return PeerRefusal{"this connection has had its handshake"};
  if (auto refusal = objection(hello, receiver)) return refusal;
  // A server has one connection to us. It may have given up one that we believe to be well.
  end_earlier_connections(hello.peer.id);
  sender_ = hello;
  stream_->lift_input_limit();
  return std::nullopt;
}

std::optional<PeerRefusal> PeerReception::objection(const PeerHello& hello,
                                                    const raft::ServerId& receiver) {
  if (hello.protocol_version != kPeerProtocolVersion) {
    return PeerRefusal{"version " + std::to_string(hello.protocol_version) +
                       " of the protocol is not spoken here, but version " +
                       std::to_string(kPeerProtocolVersion)};
  }
  if (hello.peer.id.empty()) return PeerRefusal{"a server has an id"};
  if (!context_.membership) return PeerRefusal{"it is in no cluster yet"};
  return context_.handler.refuse(hello, receiver);
}

void PeerReception::end_earlier_connections(const raft::ServerId& sender) {
  const auto receptions = context_.receptions;
  for (PeerReception* other : receptions) {
    if (other->sender_ && other->sender_->peer.id == sender) other->end();
  }
}

void PeerReception::take_in(proto::Peer::DeliverParams::Reader call) {
  const PeerMembership& us = *context_.membership;
  for (const auto frame : call.getFrames()) {
    // The only copy: the entries of the message are slices of it.
    auto message = codec::decode_message(us.cluster_id, Bytes::copy_of(wire::as_view(frame)));
    if (!message) return cut_off("a malformed message: " + message.error().message);
    if (message->from != sender_->peer || message->from_boot != sender_->boot) {
      return cut_off("a message of another sender than its handshake named");
    }
    if (message->to.id != us.self.id) return cut_off("a message for another server");
    context_.handler.on_message(std::move(*message));
    if (ended_) return;
  }
}

}  // namespace anchor::io
