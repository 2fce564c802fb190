#include "io/tcp_dialer.h"

#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "io/host_port.h"
#include "io/socket_address.h"

namespace anchor::io {
namespace {

kj::Exception failed(const std::string& what) {
  return kj::Exception(kj::Exception::Type::DISCONNECTED, __FILE__, __LINE__,
                       kj::heapString(what.c_str(), what.size()));
}

struct FreeAddresses {
  void operator()(addrinfo* addresses) const { uv_freeaddrinfo(addresses); }
};

// Lives as long as the promise.
class Dialer {
 public:
  Dialer(kj::PromiseFulfiller<kj::Own<KjStream>>& fulfiller, KjEventPort& port,
         HandleCount& open_handles, const std::string& address)
      : fulfiller_(fulfiller), port_(port), open_handles_(open_handles), address_(address) {
    look_up();
  }
  ~Dialer() {
    // What runs in another thread already cannot be cancelled: its answer finds nobody. What still
    // waits for a thread must not hold up other lookups.
    if (lookup_ != nullptr) {
      lookup_->dialer = nullptr;
      uv_cancel(reinterpret_cast<uv_req_t*>(&lookup_->request));
    }
    if (socket_) socket_->on_connect = nullptr;
  }
  Dialer(const Dialer&) = delete;
  Dialer& operator=(const Dialer&) = delete;

 private:
  // A request to resolve a name, which outlives a dialer that is given up.
  struct Lookup {
    Lookup(Dialer* owner, HandleCount& count) : dialer(owner), open_handles(count) {
      request.data = this;
    }
    Dialer* dialer;
    HandleCount& open_handles;
    uv_getaddrinfo_t request{};
  };

  void look_up() {
    const auto parts = parse_host_port(address_);
    if (!parts) return fail(parts.error().message);
    if (const auto numeric = numeric_address(*parts)) {
      targets_.push_back(*numeric);
      return try_next(UV_EADDRNOTAVAIL);
    }
    auto lookup = std::make_unique<Lookup>(this, open_handles_);
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    const std::string service = std::to_string(parts->port);
    const int error = uv_getaddrinfo(port_.loop(), &lookup->request, looked_up, parts->host.c_str(),
                                     service.c_str(), &hints);
    if (error != 0) return fail(describe_uv_error("cannot resolve " + address_, error));
    lookup_ = lookup.release();
    open_handles_.add();
  }

  static void looked_up(uv_getaddrinfo_t* request, int status, addrinfo* addresses) {
    const std::unique_ptr<Lookup> lookup(static_cast<Lookup*>(request->data));
    std::unique_ptr<addrinfo, FreeAddresses> found(addresses);
    if (Dialer* dialer = lookup->dialer) {
      dialer->lookup_ = nullptr;
      dialer->resolved(status, std::move(found));
    }
    lookup->open_handles.remove();
  }

  void resolved(int status, std::unique_ptr<addrinfo, FreeAddresses> addresses) {
    if (status != 0) return fail(describe_uv_error("cannot resolve " + address_, status));
    for (const addrinfo* each = addresses.get(); each != nullptr; each = each->ai_next) {
      std::memcpy(&targets_.emplace_back(), each->ai_addr, each->ai_addrlen);
    }
    try_next(UV_EADDRNOTAVAIL);
  }

  // Each attempt has a socket of its own, since a failed one cannot be used again.
  void try_next(int last_error) {
    while (next_ < targets_.size()) {
      const auto* target = reinterpret_cast<const sockaddr*>(&targets_[next_++]);
      socket_.reset(new UvSocket(port_.loop(), open_handles_));
      socket_->on_connect = [this](int status) {
        if (status != 0) return try_next(status);
        fulfiller_.fulfill(kj::heap<KjStream>(port_, std::move(socket_)));
      };
      last_error = uv_tcp_connect(&socket_->connect_request, &socket_->tcp, target,
                                  [](uv_connect_t* request, int status) {
                                    auto& socket = *static_cast<UvSocket*>(request->data);
                                    const auto report = std::exchange(socket.on_connect, nullptr);
                                    if (report) report(status);
                                  });
      if (last_error == 0) return;
    }
    fail(describe_uv_error("cannot connect to " + address_, last_error));
  }

  void fail(const std::string& what) { fulfiller_.reject(failed(what)); }

  kj::PromiseFulfiller<kj::Own<KjStream>>& fulfiller_;
  KjEventPort& port_;
  HandleCount& open_handles_;
  const std::string address_;
  Lookup* lookup_ = nullptr;  // while one is under way
  std::vector<sockaddr_storage> targets_;
  std::size_t next_ = 0;
  UvSocketPointer socket_;
};

}  // namespace

kj::Promise<kj::Own<KjStream>> dial_tcp(KjEventPort& port, HandleCount& open_handles,
                                        const std::string& address) {
  return kj::newAdaptedPromise<kj::Own<KjStream>, Dialer>(port, open_handles, address);
}

}  // namespace anchor::io
