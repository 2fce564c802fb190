#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "io/http_message.h"
#include "tests/cluster/http_client.h"
#include "tests/cluster/json_schema.h"

namespace anchor::cluster {

struct ApiOperation {
  std::string method;  // "GET"
  std::string path;    // "/kv/{key}"
  // As it stands in the document, the path's parameters among its own, each in full.
  nlohmann::json definition;

  std::string name() const { return method + " " + path; }
  // "/session/" of "/session/{id}".
  std::string stem() const { return path.substr(0, path.find('{')); }
  // "/keepalive" of "/lease/{id}/keepalive"; empty, if the path ends with a parameter or has none.
  std::string ending() const {
    const std::size_t brace = path.find('}');
    return brace == path.npos ? "" : path.substr(brace + 1);
  }
  bool has_status(int status) const {
    return definition.at("responses").contains(std::to_string(status));
  }
  // Of a path of its own.
  bool routes(std::string_view target_path) const;
};

// The parameters of a request by their names, those of the query and those in headers.
std::vector<std::string> parameters_of(std::string_view target, std::string_view header_lines);

// A description of an HTTP API (OpenAPI 3.1, in YAML), to hold a server against.
class ApiDocument {
 public:
  // Throws what yaml-cpp and nlohmann's JSON throw.
  explicit ApiDocument(const std::string& path);

  std::string version() const { return document_.at("info").at("version"); }
  const std::vector<ApiOperation>& operations() const { return operations_; }
  // Null: there is none.
  const ApiOperation* find(std::string_view method, std::string_view target) const;

  // Of the answer to a request: its status, its headers, its body.
  Faults faults_in(const ApiOperation& operation, const HttpAnswer& answer) const;
  // Of a request that the server took: its parameters, its body.
  Faults faults_in_request(const ApiOperation& operation, std::string_view target,
                           const HttpExtra& extra) const;

 private:
  ApiOperation read_operation(const std::string& path, const std::string& method) const;
  void check_headers(const nlohmann::json& response, const HttpAnswer& answer,
                     Faults& faults) const;
  void check_body(const nlohmann::json& response, bool head, const HttpAnswer& answer,
                  Faults& faults) const;

  nlohmann::json document_;
  std::vector<ApiOperation> operations_;
};

}  // namespace anchor::cluster
