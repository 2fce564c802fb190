#include "io/peer_link.h"

#include <algorithm>
#include <utility>

#include "core/base/assert.h"
#include "core/wire/flat_message.h"
#include "io/peer_wire.h"
#include "io/tcp_dialer.h"

namespace anchor::io {
namespace {

constexpr std::size_t kWordBytes = sizeof(capnp::word);

}  // namespace

// A connection from the moment that TCP has it until it is given up.
class PeerLink::Connection final : private kj::TaskSet::ErrorHandler {
 public:
  Connection(PeerLink& link, kj::Own<KjStream> stream)
      : link_(link), gate_(kj::mv(stream), link.context_.options), peer_(nullptr), calls_(*this) {
    auto pair = kj::newPromiseAndFulfiller<void>();
    call_failed_ = kj::mv(pair.fulfiller);
    until_broken_ = pair.promise.exclusiveJoin(gate_.when_disconnected());
  }
  ~Connection() noexcept(false) {
    if (link_.connection_ == this) link_.connection_ = nullptr;
  }

  // True if we are welcome at whom we meant.
  kj::Promise<bool> handshake() {
    auto request = gate_.gate().handshakeRequest();
    write_hello(*link_.context_.membership, request.initHello());
    request.setReceiver(link_.peer_.name().c_str());
    return request.send().then([this](capnp::Response<proto::Gate::HandshakeResults>&& response) {
      if (const std::string reason = objection(response); !reason.empty()) {
        refused(response, reason);
        return false;
      }
      peer_ = response.getPeer();
      gate_.lift_input_limit();
      return true;
    });
  }
  kj::Promise<void> until_broken() { return kj::mv(until_broken_); }

  bool has_room() const {
    const PeerTransportOptions& options = link_.context_.options;
    return call_count_ < options.calls_in_flight && bytes_in_flight_ < options.queue_bytes / 2;
  }
  std::size_t bytes_in_flight() const { return bytes_in_flight_; }

  void deliver(const std::vector<Bytes>& frames, std::size_t frames_bytes) {
    // A good guess at the size puts it all into one segment.
    const capnp::MessageSize size{frames_bytes / kWordBytes + 2 * frames.size() + 16, 0};
    auto request = peer_.deliverRequest(size);
    auto list = request.initFrames(static_cast<unsigned>(frames.size()));
    for (unsigned i = 0; i < list.size(); ++i) list.set(i, wire::as_data(frames[i].view()));
    ++call_count_;
    bytes_in_flight_ += frames_bytes;
    calls_.add(request.send().then([this, frames_bytes](auto&&) {
      --call_count_;
      bytes_in_flight_ -= frames_bytes;
      link_.taken_in();
    }));
  }

 private:
  std::string objection(const proto::Gate::HandshakeResults::Reader& response) const {
    if (response.getRefusal().size() > 0) {
      return std::string(wire::as_text(response.getRefusal()));
    }
    return impostor(read_hello(response.getWelcome()));
  }

  // Why it is not whom we meant; empty if it is.
  std::string impostor(const PeerHello& hello) const {
    if (hello.protocol_version != kPeerProtocolVersion) {
      return "it speaks version " + std::to_string(hello.protocol_version) + " of the protocol";
    }
    if (hello.peer.id != link_.peer_) return "at its address is \"" + hello.peer.id.name() + "\"";
    if (hello.cluster_id != link_.context_.membership->cluster_id) {
      return "it is in another cluster";
    }
    return {};
  }

  void refused(const proto::Gate::HandshakeResults::Reader& response, const std::string& reason) {
    if (link_.context_.closing) return;
    const raft::Index removed_at(response.getRemovedAt());
    const PeerHello peer = read_hello(response.getWelcome());
    if (removed_at != raft::Index() && impostor(peer).empty()) {
      link_.context_.handler.on_removed(peer, removed_at);
    } else {
      link_.context_.handler.on_refused(link_.peer_, reason);
    }
  }

  void taskFailed(kj::Exception&& exception) override { call_failed_->reject(kj::mv(exception)); }

  PeerLink& link_;
  GateConnection gate_;
  proto::Peer::Client peer_;
  kj::Own<kj::PromiseFulfiller<void>> call_failed_;
  kj::Promise<void> until_broken_ = nullptr;
  std::size_t call_count_ = 0;
  std::size_t bytes_in_flight_ = 0;
  kj::TaskSet calls_;
};

PeerLink::PeerLink(PeerContext& context, raft::ServerId peer, std::string address)
    : Flushable(context.port),
      context_(context),
      peer_(std::move(peer)),
      address_(std::move(address)),
      backoff_(context.options.backoff_min),
      task_(keep_connected().eagerlyEvaluate(nullptr)) {}

PeerLink::~PeerLink() noexcept = default;

kj::Promise<void> PeerLink::keep_connected() {
  return connect_once()
      .catch_([this](kj::Exception&& reason) { failed(describe(reason)); })
      .then([this] {
        disconnected();
        return context_.port.timer().afterDelay(to_kj(next_backoff())).then([this] {
          return keep_connected();
        });
      });
}

kj::Promise<void> PeerLink::connect_once() {
  kj::Timer& timer = context_.port.timer();
  return timer
      .timeoutAfter(to_kj(context_.options.connect_timeout),
                    dial_tcp(context_.port, context_.open_handles, address_))
      .then([this](kj::Own<KjStream>&& stream) {
        auto connection = kj::heap<Connection>(*this, kj::mv(stream));
        Connection& it = *connection;
        return context_.port.timer()
            .timeoutAfter(to_kj(context_.options.handshake_timeout), it.handshake())
            .then([this, &it](bool welcome) -> kj::Promise<void> {
              if (!welcome) return kj::READY_NOW;
              connection_ = &it;
              was_connected_ = true;
              if (!queue_.empty()) mark_dirty();
              return it.until_broken();
            })
            .attach(kj::mv(connection));
      });
}

// The address may be wrong, the server down, the network cut: it is tried again. Why a connection
// broke that there was, matters less than that it did.
void PeerLink::failed(const std::string& reason) {
  if (was_connected_ || context_.closing) return;
  context_.handler.on_connect_failed(peer_, {"no connection to " + peer_.name() + ": " + reason});
}

void PeerLink::disconnected() {
  ANCHOR_ASSERT(connection_ == nullptr);
  was_connected_ = false;
  // What waited this long is of no use any more: those who sent it send again.
  queue_.clear();
  queued_bytes_ = 0;
  if (std::exchange(sent_something_, false) && !context_.closing)
    context_.handler.on_peer_unreachable(peer_);
}

Duration PeerLink::next_backoff() {
  const Duration longest = backoff_;
  backoff_ = std::min(2 * backoff_, context_.options.backoff_max);
  return context_.random.between(longest / 2, longest + 1us);
}

void PeerLink::send(Bytes frame) {
  const std::size_t in_flight_bytes = connection_ ? connection_->bytes_in_flight() : 0;
  queued_bytes_ += frame.size();
  queue_.push_back(std::move(frame));
  while (queued_bytes_ + in_flight_bytes > context_.options.queue_bytes && !queue_.empty()) {
    queued_bytes_ -= queue_.front().size();
    queue_.pop_front();
  }
  if (connection_ != nullptr) mark_dirty();
}

void PeerLink::flush() {
  while (connection_ != nullptr && connection_->has_room() && !queue_.empty()) {
    std::size_t batch_bytes = 0;
    const std::vector<Bytes> batch = next_batch(batch_bytes);
    connection_->deliver(batch, batch_bytes);
    sent_something_ = true;
  }
}

// All that waits, as far as it goes into a call.
std::vector<Bytes> PeerLink::next_batch(std::size_t& batch_bytes) {
  std::vector<Bytes> batch;
  while (!queue_.empty() && batch_bytes + queue_.front().size() <= context_.options.frame_bytes) {
    batch_bytes += queue_.front().size();
    batch.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  queued_bytes_ -= batch_bytes;
  return batch;
}

void PeerLink::taken_in() {
  // A peer that takes what it gets is well: the next break is a new one.
  backoff_ = context_.options.backoff_min;
  if (!queue_.empty()) mark_dirty();
}

}  // namespace anchor::io
