#include "io/tcp_listener.h"

#include <sys/socket.h>
#include <unistd.h>

#include <utility>

#include "io/socket_address.h"

namespace anchor::io {
namespace {

constexpr int kBacklog = 1024;

}  // namespace

TcpListener::Handle::Handle(uv_loop_t* loop, HandleCount& count) : open_handles(count) {
  uv_tcp_init(loop, &tcp);
  tcp.data = this;
  open_handles.add();
}

Result<std::unique_ptr<TcpListener>> TcpListener::listen(uv_loop_t* loop, HandleCount& open_handles,
                                                         const std::string& host,
                                                         std::uint16_t port, Handlers handlers) {
  const HostPort where{host, port};
  const std::string problem = "cannot listen on " + to_text(where);
  const auto address = resolve_now(loop, where);
  if (!address) return failure(problem + ": " + address.error().message);

  std::unique_ptr<TcpListener> listener(new TcpListener(loop, open_handles));
  Handle& handle = *listener->handle_;
  handle.handlers = std::move(handlers);
  int error = uv_tcp_bind(&handle.tcp, reinterpret_cast<const sockaddr*>(&*address), 0);
  if (error == 0) error = uv_listen(as_uv_stream(handle.tcp), kBacklog, connected);
  if (error != 0) return failure(describe_uv_error(problem, error));
  return listener;
}

void TcpListener::connected(uv_stream_t* listener, int status) {
  Handle& handle = *static_cast<Handle*>(listener->data);
  if (status == 0) {
    return handle.handlers.waiting(
        [listener](uv_tcp_t& tcp) { return uv_accept(listener, as_uv_stream(tcp)); });
  }
  handle.handlers.failed(Error{describe_uv_error("cannot accept a connection", status)});
}

void TcpListener::accept_waiting() {
  uv_os_fd_t listening = -1;
  uv_fileno(as_uv_handle(handle_->tcp), &listening);
  while (true) {
    const int accepted = ::accept4(listening, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (accepted < 0) return;
    handle_->handlers.waiting([accepted](uv_tcp_t& tcp) {
      const int error = uv_tcp_open(&tcp, accepted);
      if (error != 0) ::close(accepted);
      return error;
    });
  }
}

std::uint16_t TcpListener::port() const {
  return local_port(handle_->tcp);
}

}  // namespace anchor::io
