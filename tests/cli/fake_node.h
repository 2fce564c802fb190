#pragma once

#include <uv.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/base/assert.h"
#include "io/http_server.h"

namespace anchor::cli {

// An HTTP server on a free port of the loopback, in a thread of its own, that answers as a test
// wants: what a node does is not the matter here, but what its client makes of it.
class FakeNode final : public io::HttpHandler {
 public:
  // Called on the server's thread. No response: none is ever sent.
  using Answer = std::function<std::optional<io::HttpResponse>(const io::HttpRequest&)>;

  explicit FakeNode(Answer answer) : answer_(std::move(answer)) {
    uv_loop_init(&loop_);
    server_ = std::make_unique<io::HttpServer>(&loop_, io::HttpServerOptions{}, *this);
    const auto listening = server_->listen("127.0.0.1", 0);
    ANCHOR_ASSERT(listening.has_value());
    stop_.data = this;
    uv_async_init(&loop_, &stop_, [](uv_async_t* stop) {
      static_cast<FakeNode*>(stop->data)->server_->close([] {});
      uv_close(reinterpret_cast<uv_handle_t*>(stop), nullptr);
    });
    thread_ = std::thread([this] { uv_run(&loop_, UV_RUN_DEFAULT); });
  }
  // The same answer to everything.
  explicit FakeNode(const io::HttpResponse& response)
      : FakeNode([status = response.status, lines = response.header_lines,
                  text = std::get<std::string>(response.body)](const io::HttpRequest&) {
          return io::HttpResponse{.status = status, .header_lines = lines, .body = text};
        }) {}

  ~FakeNode() override {
    uv_async_send(&stop_);
    thread_.join();
    server_.reset();
    const int closed = uv_loop_close(&loop_);
    ANCHOR_ASSERT(closed == 0);
  }

  std::string endpoint() const { return "127.0.0.1:" + std::to_string(server_->port()); }

  // "PUT /kv/a If-Match: "3" [the body]", in the order of arrival.
  std::vector<std::string> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  void handle(const io::HttpRequest& request, io::HttpTicket ticket) override {
    std::string text = std::string(io::method_name(request.method)) + " ";
    text += request.target;
    for (const char* name : {"If-Match", "If-None-Match"}) {
      if (const auto value = request.header(name)) {
        text += " " + std::string(name) + ": " + std::string(*value);
      }
    }
    if (!request.body.empty()) text += " [" + std::string(request.body.text()) + "]";
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(std::move(text));
    }
    if (auto response = answer_(request)) server_->respond(ticket, std::move(*response));
  }
  io::HttpResponse refuse(const io::HttpRefusal& refusal, const io::HttpRequest*) override {
    return {.status = refusal.status, .body = std::string(refusal.message)};
  }

  Answer answer_;
  uv_loop_t loop_{};
  uv_async_t stop_{};
  std::unique_ptr<io::HttpServer> server_;
  std::thread thread_;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
};

inline io::HttpResponse response(
    int status, std::string body,
    const std::vector<std::pair<std::string, std::string>>& headers = {}) {
  io::HttpResponse made{.status = status, .body = std::move(body)};
  for (const auto& [name, value] : headers) made.add_header(name, value);
  return made;
}

// The error shape of the API.
inline io::HttpResponse error_response(int status, const std::string& code,
                                       const std::string& outcome = "not_applied") {
  return response(status, R"({"error":"because of )" + code + R"(","code":")" + code +
                              R"(","outcome":")" + outcome +
                              R"(","leader":null,"retry_after_ms":20})");
}

// Of a port that was free a moment ago and that nobody listens on.
inline std::string dead_endpoint() {
  return FakeNode(io::HttpResponse{}).endpoint();
}

}  // namespace anchor::cli
