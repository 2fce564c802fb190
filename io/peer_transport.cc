#include "io/peer_transport.h"

#include <memory>
#include <utility>

#include "core/base/assert.h"
#include "core/codec/message_codec.h"
#include "core/wire/flat_message.h"
#include "io/peer_link.h"
#include "io/peer_reception.h"
#include "io/peer_wire.h"
#include "io/tcp_dialer.h"

namespace anchor::io {
namespace {

// The reply to a message before any handshake, for which the connection is made.
kj::Promise<Bytes> ask_to_found(GateConnection& connection, const Bytes& message) {
  auto request = connection.gate().foundRequest();
  request.setMessage(wire::as_data(message.view()));
  return request.send().then([](capnp::Response<proto::Gate::FoundResults>&& response) {
    return Bytes::copy_of(wire::as_view(response.getReply()));
  });
}

kj::Promise<Bytes> ask_to_join(GateConnection& connection, const Bytes& message) {
  auto request = connection.gate().joinRequest();
  request.setRequest(wire::as_data(message.view()));
  return request.send().then([](capnp::Response<proto::Gate::JoinResults>&& response) {
    return Bytes::copy_of(wire::as_view(response.getReply()));
  });
}

}  // namespace

PeerTransport::PeerTransport(KjEventPort& port, const PeerTransportOptions& options,
                             PeerTransportHandler& handler)
    : Flushable(port), context_{port, options, handler, Random(options.seed)} {
  tasks_.emplace(static_cast<kj::TaskSet::ErrorHandler&>(*this));
}

PeerTransport::~PeerTransport() noexcept {
  ANCHOR_ASSERT(!tasks_ && context_.open_handles.none());
}

Result<void> PeerTransport::listen(const std::string& host, std::uint16_t port) {
  ANCHOR_ASSERT(!listener_ && !context_.closing);
  auto listener = TcpListener::listen(
      context_.port.loop(), context_.open_handles, host, port,
      {.waiting = [this](const TcpAccept& into) { accept(into); },
       .failed = [this](const Error& error) { context_.handler.on_accept_failed(error); }});
  if (!listener) return std::unexpected(listener.error());
  listener_ = std::move(*listener);
  return {};
}

void PeerTransport::join_cluster(raft::ClusterId cluster_id, raft::Peer self, raft::Boot boot,
                                 std::string address) {
  ANCHOR_ASSERT(!context_.membership);
  context_.membership = PeerMembership{cluster_id, std::move(self), boot, std::move(address)};
}

void PeerTransport::set_peers(const std::map<raft::ServerId, std::string>& addresses) {
  ANCHOR_ASSERT(context_.membership && !context_.closing);
  for (auto link = links_.begin(); link != links_.end();) {
    const auto wanted = addresses.find(link->first);
    if (wanted != addresses.end() && wanted->second == link->second->address()) {
      ++link;
      continue;
    }
    removed_links_.push_back(std::move(link->second));
    link = links_.erase(link);
    mark_dirty();
  }
  for (const auto& [id, address] : addresses) {
    if (id == context_.membership->self.id || links_.contains(id)) continue;
    links_.emplace(id, std::make_unique<PeerLink>(context_, id, address));
  }
}

void PeerTransport::send(const raft::Message& message) {
  ANCHOR_ASSERT(context_.membership && message.from == context_.membership->self &&
                message.from_boot == context_.membership->boot);
  const auto link = links_.find(message.to.id);
  if (link == links_.end()) return;
  Bytes frame = codec::encode_message(context_.membership->cluster_id, message);
  ANCHOR_ASSERT(frame.size() <= context_.options.frame_bytes);
  link->second->send(std::move(frame));
}

bool PeerTransport::connected(const raft::ServerId& peer) const {
  const auto link = links_.find(peer);
  return link != links_.end() && link->second->connected();
}

void PeerTransport::call_found(const std::string& address, Bytes message, Duration timeout,
                               std::function<void(Result<Bytes>)> answered) {
  call(address, std::move(message), timeout, std::move(answered), ask_to_found);
}

void PeerTransport::call_join(const std::string& address, Bytes message, Duration timeout,
                              std::function<void(Result<Bytes>)> answered) {
  call(address, std::move(message), timeout, std::move(answered), ask_to_join);
}

template <typename Ask>
void PeerTransport::call(const std::string& address, Bytes message, Duration timeout,
                         std::function<void(Result<Bytes>)> answered, Ask ask) {
  ANCHOR_ASSERT(!context_.closing);
  // Of the two continuations one is called, once.
  auto report = std::make_shared<std::function<void(Result<Bytes>)>>(
      [this, answered = std::move(answered)](Result<Bytes> result) {
        if (!context_.closing) answered(std::move(result));
      });
  auto answer = dial_tcp(context_.port, context_.open_handles, address)
                    .then([this, ask, message = std::move(message)](kj::Own<KjStream>&& stream) {
                      auto connection = kj::heap<GateConnection>(kj::mv(stream), context_.options);
                      auto reply = ask(*connection, message);
                      return reply.attach(kj::mv(connection));
                    });
  tasks_->add(context_.port.timer()
                  .timeoutAfter(to_kj(timeout), kj::mv(answer))
                  .then([report](Bytes&& reply) { (*report)(std::move(reply)); },
                        [report, address](kj::Exception&& reason) {
                          (*report)(failure("no answer from " + address + ": " + describe(reason)));
                        }));
}

const std::string* PeerTransport::address_said_by(const raft::Peer& peer) const {
  for (const PeerReception* reception : context_.receptions) {
    const auto& sender = reception->sender();
    if (sender && sender->peer == peer && !sender->address.empty()) return &sender->address;
  }
  return nullptr;
}

void PeerTransport::end_connections(const std::function<bool(const PeerHello&)>& unwelcome) {
  const auto receptions = context_.receptions;
  for (PeerReception* reception : receptions) {
    if (reception->sender() && unwelcome(*reception->sender())) reception->end();
  }
}

void PeerTransport::accept(const TcpAccept& into) {
  UvSocketPointer socket = accept_socket(context_.port.loop(), into, context_.open_handles);
  if (!socket) return;
  if (context_.receptions.size() >= context_.options.connections && !make_room()) return;
  auto reception =
      kj::heap<PeerReception>(context_, kj::heap<KjStream>(context_.port, std::move(socket)));
  auto ended = reception->until_ended();
  tasks_->add(ended.attach(kj::mv(reception)));
}

// Whoever only connects must not keep the servers of the cluster out.
bool PeerTransport::make_room() {
  for (PeerReception* reception : context_.receptions) {
    if (reception->sender()) continue;
    reception->cut_off("too many connections, and no handshake came over this one");
    return true;
  }
  return false;
}

void PeerTransport::close(std::function<void()> closed) {
  ANCHOR_ASSERT(!context_.closing);
  context_.closing = true;
  closed_ = std::move(closed);
  listener_.reset();
  while (!context_.receptions.empty()) context_.receptions.back()->end();
  mark_dirty();
}

// What may be running when it is given up is destroyed here, where nothing runs.
void PeerTransport::flush() {
  removed_links_.clear();
  if (!context_.closing) return;
  links_.clear();
  tasks_.reset();
  context_.open_handles.when_none_left(std::move(closed_));
}

// A connection that failed has ended like any other.
void PeerTransport::taskFailed(kj::Exception&&) {}

}  // namespace anchor::io
