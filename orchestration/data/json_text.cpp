#include "orchestration/data/json_text.hpp"

#include <utility>
#include <vector>

#include "isa/errors.hpp"
#include "isa/shown_text.hpp"

namespace npu::orch {
namespace {

using nlohmann::json;

/// Builds the value from the parser's events. The parser itself keeps its place on the heap, so that depth costs no
/// stack; what works on the value afterwards recurses.
class Builder final : public nlohmann::json_sax<json> {
 public:
  explicit Builder(std::string_view what) : what_{what} {}
  [[nodiscard]] json take() { return std::move(root_); }

  bool null() override { return scalar(nullptr); }
  bool boolean(bool value) override { return scalar(value); }
  bool number_integer(number_integer_t value) override { return scalar(value); }
  bool number_unsigned(number_unsigned_t value) override { return scalar(value); }
  bool number_float(number_float_t value, const string_t&) override { return scalar(value); }
  bool string(string_t& value) override { return scalar(std::move(value)); }
  bool binary(binary_t& value) override { return scalar(json::binary(std::move(value))); }
  bool start_object(std::size_t) override { return open(json::object()); }
  bool start_array(std::size_t) override { return open(json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    const auto [member, is_new] = open_.back()->emplace(name, nullptr);
    if (!is_new) throw config_error("{} names '{}' twice", what_, isa::shown(name));
    member_ = &*member;
    return true;
  }

  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& error) override {
    // The library's text ends in what it read last, of any length.
    constexpr std::size_t kMostBytes = 300;
    const std::string_view text = error.what();
    throw config_error("{} is not valid JSON: {}{}", what_, isa::printable(text.substr(0, kMostBytes)),
                       text.size() > kMostBytes ? "..." : "");
  }

 private:
  template <class Value>
  bool scalar(Value&& value) {
    place() = std::forward<Value>(value);
    return true;
  }
  bool open(json value) {
    if (open_.size() == kMostJsonLevels) throw config_error("{} nests deeper than {} levels", what_, kMostJsonLevels);
    json& opened = place();
    opened = std::move(value);
    open_.push_back(&opened);
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }
  /// Where the next value goes. An array moves its elements only while none of them is open.
  json& place() {
    if (open_.empty()) return root_;
    if (open_.back()->is_object()) return *member_;
    open_.back()->push_back(nullptr);
    return open_.back()->back();
  }

  std::string_view what_;
  json root_;
  std::vector<json*> open_;  ///< outermost first
  json* member_ = nullptr;   ///< named last
};

}  // namespace

json parse_json(std::string_view text, std::string_view what) {
  Builder builder{what};
  json::sax_parse(text.begin(), text.end(), &builder);
  return builder.take();
}

std::string shown(const json& value) {
  if (value.is_array()) return fmt::format("an array of {}", value.size());
  if (value.is_object()) return fmt::format("an object of {}", value.size());
  return isa::shown(value.dump());
}

}  // namespace npu::orch
