#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace anchor::cluster {

// What is wrong, in words; empty: nothing.
using Faults = std::vector<std::string>;

// What `node` stands for: itself, or what its "$ref" names in the document.
const nlohmann::json& resolve(const nlohmann::json& document, const nlohmann::json& node);

// Holds values against the schemas of one document. It knows as much of JSON Schema as that uses,
// and says so where it does not. Objects are closed: a property that is not described is a fault.
class JsonSchema {
 public:
  // `document` must outlive this.
  explicit JsonSchema(const nlohmann::json& document) : document_(document) {}

  Faults faults_in(const nlohmann::json& value, const nlohmann::json& schema,
                   const std::string& name) const;

 private:
  void check_type(const nlohmann::json& value, const nlohmann::json& schema,
                  const std::string& name, Faults& faults) const;
  void check_alternatives(const nlohmann::json& value, const nlohmann::json& schema,
                          const std::string& name, Faults& faults) const;
  void check_properties(const nlohmann::json& value, const nlohmann::json& schema,
                        const std::string& name, Faults& faults) const;

  const nlohmann::json& document_;
};

}  // namespace anchor::cluster
