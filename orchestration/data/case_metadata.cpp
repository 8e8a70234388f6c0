#include "orchestration/data/case_metadata.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "isa/errors.hpp"
#include "isa/nearest_name.hpp"
#include "isa/shown_text.hpp"
#include "orchestration/data/config_fields.hpp"
#include "orchestration/data/json_text.hpp"
#include "orchestration/data/presets.hpp"

namespace npu::orch {
namespace {

using nlohmann::json;

constexpr std::string_view kStartPosKey = "start_pos";

void read_value(const std::string& where, const json& value, std::uint32_t& out) {
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() > std::numeric_limits<std::uint32_t>::max()) {
    throw config_error("{}: expected an integer from 0 to {}, got {}", where, std::numeric_limits<std::uint32_t>::max(),
                       shown(value));
  }
  out = value.get<std::uint32_t>();
}

void read_value(const std::string& where, const json& value, float& out) {
  if (!value.is_number()) throw config_error("{}: expected a number, got {}", where, shown(value));
  out = value.get<float>();
}

void read_value(const std::string& where, const json& value, std::vector<std::uint32_t>& out) {
  if (!value.is_array()) throw config_error("{}: expected an array of integers, got {}", where, shown(value));
  out.assign(value.size(), 0);
  for (std::size_t i = 0; i < out.size(); ++i) read_value(fmt::format("{}[{}]", where, i), value[i], out[i]);
}

const std::string& required(const Metadata& metadata, std::string_view path, std::string_view key) {
  const auto it = metadata.find(key);
  if (it == metadata.end()) {
    throw config_error("{}: metadata key '{}' is missing; a layer's file states its dimensions and layer_id", path,
                       key);
  }
  return it->second;
}

/// Shortest decimal that reads back as the same float, so that files show 0.1 and not 0.10000000149.
double shortest_decimal(float value) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  double result = 0.0;
  std::from_chars(text.data(), end, result);
  return result;
}

}  // namespace

kernels::LayerConfig config_from_json(std::string_view text, const std::string& what,
                                      std::optional<std::uint32_t>* start_pos) {
  json fields = parse_json(text, what);
  if (!fields.is_object()) throw config_error("{} is not a JSON object", what);
  if (const auto ratios = fields.find("compress_ratios");
      ratios != fields.end() && ratios->is_array() && ratios->size() > 1 && !fields.contains("layers")) {
    fields.emplace(std::string{kLayersKey}, ratios->size() - 1);
  }
  kernels::LayerConfig config;
  std::vector<std::string_view> known;
  visit_fields(config, [&](std::string_view name, std::string_view key, auto& member) {
    known.push_back(key);
    if (name != key) known.push_back(name);
    const bool by_name = name != key && fields.contains(name);
    if (by_name && fields.contains(key))
      throw config_error("{} has both '{}' and '{}'; leave one out", what, key, name);
    const auto it = fields.find(std::string{by_name ? name : key});
    if (it == fields.end() && may_be_left_out(name)) return;
    if (it == fields.end()) throw config_error("{} lacks '{}'", what, key);
    read_value(fmt::format("{}, '{}'", what, it.key()), *it, member);
  });
  if (start_pos != nullptr) {
    known.push_back(kStartPosKey);
    const auto it = fields.find(std::string{kStartPosKey});
    if (it != fields.end()) read_value(fmt::format("{}, '{}'", what, kStartPosKey), *it, start_pos->emplace());
  }
  for (const auto& [key, value] : fields.items()) {
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      throw config_error("{} has an unknown key '{}'; nearest is '{}'", what, isa::shown(key),
                         isa::nearest_name(key, known));
    }
  }
  return config;
}

kernels::LayerConfig config_from_metadata(const Metadata& metadata, std::string_view path) {
  kernels::LayerConfig config =
      config_from_json(required(metadata, path, "config"), fmt::format("{}: metadata 'config'", path));
  const std::string& layer = required(metadata, path, "layer_id");
  const auto parsed = std::from_chars(layer.data(), layer.data() + layer.size(), config.layer_id);
  if (parsed.ec != std::errc{} || parsed.ptr != layer.data() + layer.size()) {
    throw config_error("{}: metadata 'layer_id' is '{}'; expected a number", path, isa::shown(layer));
  }
  validate(config, path);
  const auto kind = metadata.find("kind");
  const std::string_view actual = kernels::name_of(attention_kind(config));
  if (kind != metadata.end() && kind->second != actual) {
    throw config_error("{}: metadata 'kind' is '{}', but the compression ratio of layer {} makes it '{}'", path,
                       isa::shown(kind->second), config.layer_id, actual);
  }
  return config;
}

std::string config_json(const kernels::LayerConfig& config, std::optional<std::uint32_t> start_pos) {
  auto fields = nlohmann::ordered_json::object();
  visit_fields(config, [&](std::string_view name, std::string_view key, const auto& member) {
    using Member = std::decay_t<decltype(member)>;
    if constexpr (std::is_same_v<Member, float>) {
      fields[std::string{key}] = shortest_decimal(member);
    } else {
      if constexpr (std::is_same_v<Member, std::uint32_t>) {
        if (member == 0 && may_be_left_out(name)) return;
      }
      fields[std::string{key}] = member;
    }
  });
  if (start_pos) fields[std::string{kStartPosKey}] = *start_pos;
  return fields.dump();
}

void add_config(Metadata& metadata, const kernels::LayerConfig& config) {
  metadata["config"] = config_json(config);
  metadata["layer_id"] = std::to_string(config.layer_id);
  metadata["kind"] = kernels::name_of(attention_kind(config));
}

}  // namespace npu::orch
