#include "io/tcp_listener.h"

#include <netinet/in.h>

#include <utility>

namespace anchor::io {
namespace {

constexpr int kBacklog = 128;

}  // namespace

TcpListener::Handle::Handle(uv_loop_t* loop, HandleCount& count) : open_handles(count) {
  uv_tcp_init(loop, &tcp);
  tcp.data = this;
  open_handles.add();
}

Result<std::unique_ptr<TcpListener>> TcpListener::listen(
    uv_loop_t* loop, HandleCount& open_handles, const std::string& host, std::uint16_t port,
    std::function<void(UvSocketPointer)> accepted) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  const std::string port_text = std::to_string(port);
  const std::string problem = "cannot listen on " + host + ":" + port_text;
  // Without a callback it blocks, which nobody minds at the start.
  uv_getaddrinfo_t lookup;
  int error = uv_getaddrinfo(loop, &lookup, nullptr, host.c_str(), port_text.c_str(), &hints);
  if (error != 0) return failure(describe_uv_error(problem, error));

  std::unique_ptr<TcpListener> listener(new TcpListener(loop, open_handles));
  Handle& handle = *listener->handle_;
  handle.accepted = std::move(accepted);
  error = uv_tcp_bind(&handle.tcp, lookup.addrinfo->ai_addr, 0);
  uv_freeaddrinfo(lookup.addrinfo);
  if (error == 0) error = uv_listen(as_uv_stream(handle.tcp), kBacklog, accept);
  if (error != 0) return failure(describe_uv_error(problem, error));
  return listener;
}

void TcpListener::accept(uv_stream_t* listener, int status) {
  if (status != 0) return;
  Handle& handle = *static_cast<Handle*>(listener->data);
  UvSocketPointer socket(new UvSocket(listener->loop, handle.open_handles));
  if (uv_accept(listener, as_uv_stream(socket->tcp)) == 0) handle.accepted(std::move(socket));
}

std::uint16_t TcpListener::port() const {
  sockaddr_storage address{};
  int size = sizeof(address);
  uv_tcp_getsockname(&handle_->tcp, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.ss_family == AF_INET6
                   ? reinterpret_cast<const sockaddr_in6&>(address).sin6_port
                   : reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

}  // namespace anchor::io
