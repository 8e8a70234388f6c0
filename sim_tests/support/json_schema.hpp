// Checks JSON against the part of JSON Schema that this project's schemas use, and finds out which of it was needed.
#pragma once

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

namespace npu::test {

class JsonSchema {
 public:
  explicit JsonSchema(nlohmann::json schema) : schema_(std::move(schema)) {}  // in braces it would be an array

  /// Departures of the value from the schema, each with its path; empty where it conforms.
  [[nodiscard]] std::vector<std::string> check(const nlohmann::json& value) {
    errors_.clear();
    visit(value, schema_, "");
    return errors_;
  }
  /// Described properties that no checked value had.
  [[nodiscard]] std::vector<std::string> unseen() const {
    std::vector<std::string> paths;
    collect(schema_, "", paths);
    return paths;
  }
  /// Properties without a description, and numbers without a unit.
  [[nodiscard]] std::vector<std::string> undocumented() const {
    std::vector<std::string> paths;
    document(schema_, "", paths);
    return paths;
  }

 private:
  using Json = nlohmann::json;

  [[nodiscard]] const Json& resolve(const Json& s) const {
    return s.contains("$ref") ? schema_.at(Json::json_pointer{s.at("$ref").get<std::string>().substr(1)}) : s;
  }
  [[nodiscard]] static std::vector<std::string> types_of(const Json& s) {
    if (!s.contains("type")) return {};
    return s.at("type").is_array() ? s.at("type").get<std::vector<std::string>>()
                                   : std::vector<std::string>{s.at("type").get<std::string>()};
  }
  [[nodiscard]] static bool is(const Json& value, const std::string& type) {
    return type == "null"      ? value.is_null()
           : type == "boolean" ? value.is_boolean()
           : type == "string"  ? value.is_string()
           : type == "integer" ? value.is_number_integer()
           : type == "number"  ? value.is_number()
           : type == "array"   ? value.is_array()
                               : value.is_object();
  }

  void visit(const Json& value, const Json& at, const std::string& path) {
    const Json& s = resolve(at);
    bool fits = false;
    for (const std::string& type : types_of(s)) fits = fits || is(value, type);
    if (!fits) return errors_.push_back(path + ": of another type");
    if (s.contains("enum") && std::find(s["enum"].begin(), s["enum"].end(), value) == s["enum"].end())
      errors_.push_back(path + ": not one of the values");
    if (value.is_array()) {
      for (const Json& item : value) visit(item, s.at("items"), path + "[]");
    }
    if (!value.is_object()) return;
    for (const Json& name : s.value("required", Json::array())) {
      if (!value.contains(name)) errors_.push_back(path + "/" + name.get<std::string>() + ": missing");
    }
    for (const auto& [name, member] : value.items()) {
      const std::string below = path + "/" + name;
      if (s.contains("properties") && s["properties"].contains(name)) {
        seen_.insert(&s["properties"][name]);
        visit(member, s["properties"][name], below);
      } else if (s.contains("additionalProperties") && s["additionalProperties"].is_object()) {
        visit(member, s["additionalProperties"], path + "/*");
      } else {
        errors_.push_back(below + ": not described");
      }
    }
  }

  void collect(const Json& at, const std::string& path, std::vector<std::string>& paths) const {
    const Json& s = resolve(at);
    const Json properties = s.value("properties", Json::object());
    for (const auto& [name, member] : properties.items()) {
      const std::string below = path + "/" + name;
      if (seen_.count(&s.at("properties").at(name)) == 0) paths.push_back(below);
      collect(s.at("properties").at(name), below, paths);
    }
    if (s.contains("items")) collect(s.at("items"), path + "[]", paths);
    if (s.contains("additionalProperties") && s.at("additionalProperties").is_object())
      collect(s.at("additionalProperties"), path + "/*", paths);
  }

  void document(const Json& at, const std::string& path, std::vector<std::string>& paths) const {
    const Json& s = resolve(at);
    if (s.value("description", std::string{}).empty()) paths.push_back(path + ": no description");
    for (const std::string& type : types_of(s)) {
      if ((type == "number" || type == "integer") && !s.contains("unit")) paths.push_back(path + ": no unit");
    }
    if (s.contains("properties")) {
      for (const auto& [name, member] : s.at("properties").items()) document(member, path + "/" + name, paths);
    }
    if (s.contains("items")) document(s.at("items"), path + "[]", paths);
    if (s.contains("additionalProperties") && s.at("additionalProperties").is_object())
      document(s.at("additionalProperties"), path + "/*", paths);
  }

  Json schema_;
  std::set<const Json*> seen_;
  std::vector<std::string> errors_;
};

}  // namespace npu::test
