#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "io/http_message.h"

namespace anchor::server {

// 200, with a line of JSON.
io::HttpResponse json_answer(std::string json);
// Text in it that is not UTF-8 is shown as well as may be.
io::HttpResponse json_answer(const nlohmann::ordered_json& json);

}  // namespace anchor::server
