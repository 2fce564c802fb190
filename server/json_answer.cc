#include "server/json_answer.h"

#include <utility>

namespace anchor::server {

io::HttpResponse json_answer(std::string json) {
  io::HttpResponse response;
  response.add_header("Content-Type", "application/json");
  json.push_back('\n');
  response.body = std::move(json);
  return response;
}

io::HttpResponse json_answer(const nlohmann::ordered_json& json) {
  return json_answer(json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

}  // namespace anchor::server
