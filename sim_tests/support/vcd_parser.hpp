// A strict reader of Value Change Dumps: throws std::runtime_error for whatever the format or its order forbids.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace npu::test {

struct VcdVariable {
  std::string type;
  unsigned width = 0;
  std::string identifier;
};

class Vcd {
 public:
  explicit Vcd(const std::string& text) : words_{text} {
    read_header();
    read_changes();
  }

  /// By full name, for example "card0.aic0.task".
  std::map<std::string, VcdVariable> variables;
  std::vector<std::string> declared_order;
  std::string timescale;
  std::uint64_t first_time = 0, last_time = 0;

  /// Changes of a variable as (time, value); bits and vectors without their leading b.
  [[nodiscard]] const std::vector<std::pair<std::uint64_t, std::string>>& changes(const std::string& name) const {
    const auto found = variables.find(name);
    if (found == variables.end()) throw std::runtime_error("no variable " + name);
    return changes_.at(found->second.identifier);
  }
  /// The value that holds at a time.
  [[nodiscard]] std::string value_at(const std::string& name, std::uint64_t time) const {
    std::optional<std::string> value;
    for (const auto& [at, text] : changes(name)) {
      if (at <= time) value = text;
    }
    if (!value) throw std::runtime_error(name + " has no value yet");
    return *value;
  }

 private:
  [[nodiscard]] std::string word() {
    std::string next;
    if (!(words_ >> next)) throw std::runtime_error("the file ends in the middle");
    return next;
  }
  std::string text_to_end() {
    std::string text;
    for (std::string w = word(); w != "$end"; w = word()) text += text.empty() ? w : " " + w;
    return text;
  }

  void read_header() {
    std::vector<std::string> scope;
    for (std::string w = word(); w != "$enddefinitions"; w = word()) {
      if (w == "$scope") {
        if (word() != "module") throw std::runtime_error("a scope that is no module");
        scope.push_back(text_to_end());
      } else if (w == "$upscope") {
        if (scope.empty()) throw std::runtime_error("$upscope outside of scopes");
        scope.pop_back();
        text_to_end();
      } else if (w == "$var") {
        read_variable(scope);
      } else if (w == "$timescale") {
        timescale = text_to_end();
      } else if (w == "$version" || w == "$comment") {
        text_to_end();
      } else {
        throw std::runtime_error("unknown header word " + w);
      }
    }
    if (!scope.empty()) throw std::runtime_error("a scope is not closed");
    text_to_end();
  }

  void read_variable(const std::vector<std::string>& scope) {
    VcdVariable v;
    v.type = word();
    v.width = static_cast<unsigned>(std::stoul(word()));
    v.identifier = word();
    std::string name;
    for (const auto& s : scope) name += s + ".";
    name += word();
    const std::string range = text_to_end();
    if (v.width > 1 && range != "[" + std::to_string(v.width - 1) + ":0]") {
      throw std::runtime_error("range " + range + " of " + name + " is not its width");
    }
    if (!by_identifier_.emplace(v.identifier, v).second) throw std::runtime_error("identifier used twice: " + name);
    if (!variables.emplace(name, v).second) throw std::runtime_error("name used twice: " + name);
    declared_order.push_back(name);
    changes_[v.identifier];
  }

  void read_changes() {
    bool dumping = false;
    bool stamped = false;
    std::set<std::string> at_this_time;
    std::string w;
    while (words_ >> w) {
      if (w[0] == '#') {
        const std::uint64_t time = std::stoull(w.substr(1));
        if (stamped && time <= last_time) throw std::runtime_error("time does not advance at " + w);
        if (!stamped) first_time = time;
        last_time = time;
        stamped = true;
        at_this_time.clear();
      } else if (w == "$dumpvars") {
        dumping = true;
      } else if (w == "$end") {
        if (!dumping) throw std::runtime_error("$end without a begin");
        if (at_this_time.size() != by_identifier_.size()) throw std::runtime_error("$dumpvars leaves out variables");
        dumping = false;
      } else {
        read_change(w, stamped, at_this_time);
      }
    }
    if (dumping) throw std::runtime_error("$dumpvars does not end");
  }

  void read_change(const std::string& w, bool stamped, std::set<std::string>& at_this_time) {
    if (!stamped) throw std::runtime_error("a change before the first time");
    const bool scalar = w[0] == '0' || w[0] == '1' || w[0] == 'x' || w[0] == 'z';
    const std::string value = scalar ? w.substr(0, 1) : w.substr(1);
    const std::string identifier = scalar ? w.substr(1) : word();
    const auto known = by_identifier_.find(identifier);
    if (known == by_identifier_.end()) throw std::runtime_error("undeclared identifier " + identifier);
    const VcdVariable& v = known->second;
    const char expected = v.type == "string" ? 's' : 'b';
    if (scalar ? v.type != "wire" || v.width != 1 : w[0] != expected) {
      throw std::runtime_error("change " + w + " does not suit type " + v.type);
    }
    if (value.empty()) throw std::runtime_error("empty value");
    if (expected == 'b' && value.size() > v.width) throw std::runtime_error("value wider than its variable: " + w);
    if (expected == 'b' && value.find_first_not_of("01xz") != std::string::npos) {
      throw std::runtime_error("not a binary value: " + w);
    }
    if (!at_this_time.insert(identifier).second) throw std::runtime_error("two changes at one time: " + w);
    auto& history = changes_[identifier];
    if (!history.empty() && history.back().second == value) throw std::runtime_error("a change that changes nothing");
    history.emplace_back(last_time, value);
  }

  std::istringstream words_;
  std::map<std::string, VcdVariable> by_identifier_;
  std::map<std::string, std::vector<std::pair<std::uint64_t, std::string>>> changes_;
};

}  // namespace npu::test
