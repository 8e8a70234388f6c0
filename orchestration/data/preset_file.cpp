#include "orchestration/data/preset_file.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>
#include <vector>

#include "isa/errors.hpp"
#include "isa/nearest_name.hpp"
#include "isa/shown_text.hpp"
#include "model/config/toml_parser.hpp"
#include "orchestration/data/case_metadata.hpp"
#include "orchestration/data/config_fields.hpp"
#include "orchestration/data/mapped_file.hpp"

namespace npu::orch {
namespace {

constexpr std::string_view kJsonEnding = ".json";

/// Where a key stands, for messages.
std::string place(const std::string& path, std::string_view key, const toml::node& node) {
  return fmt::format("{}:{}: {}", path, node.source().begin.line, isa::shown(key));
}

std::uint32_t read_count(const std::string& where, const toml::node& node) {
  const auto value = node.value_exact<std::int64_t>();
  if (!value || *value < 0 || *value > std::numeric_limits<std::uint32_t>::max()) {
    throw config_error("{}: expected an integer from 0 to {}", where, std::numeric_limits<std::uint32_t>::max());
  }
  return static_cast<std::uint32_t>(*value);
}

void read_value(const std::string& where, const toml::node& node, std::uint32_t& out) { out = read_count(where, node); }

void read_value(const std::string& where, const toml::node& node, float& out) {
  const auto value = node.value<double>();
  if (!value || !std::isfinite(*value)) throw config_error("{}: expected a finite number", where);
  out = static_cast<float>(*value);
}

void read_value(const std::string& where, const toml::node& node, std::vector<std::uint32_t>& out) {
  const toml::array* array = node.as_array();
  if (array == nullptr) throw config_error("{}: expected an array of integers", where);
  out.clear();
  for (const toml::node& entry : *array) out.push_back(read_count(where, entry));
}

Preset base_of(const std::string& path, const toml::node& node) {
  const auto name = node.value_exact<std::string>();
  const auto names = preset_names();
  if (!name) throw config_error("{}: expected the name of a built-in preset", place(path, "base", node));
  for (const std::string_view known : names) {
    if (known == *name) return read_preset(known);
  }
  throw config_error("{}: '{}' is no built-in preset; nearest is '{}'", place(path, "base", node), isa::shown(*name),
                     isa::nearest_name(*name, names));
}

/// The node of a field under its own name or under its key in the golden files.
const toml::node* find_field(const std::string& path, const toml::table& table, std::string_view name,
                             std::string_view key) {
  const toml::node* const by_name = table.get(name);
  const toml::node* const by_key = table.get(key);
  if (name != key && by_name != nullptr && by_key != nullptr) {
    throw config_error("{}: the same field as '{}'; leave one out", place(path, key, *by_key), name);
  }
  return by_name != nullptr ? by_name : by_key;
}

Preset read_toml_preset(const std::string& path) {
  const toml::table table = model::parse_toml(model::read_toml_file(path), path);
  Preset preset;
  kernels::LayerConfig& config = preset.config;
  const toml::node* base = table.get("base");
  if (base != nullptr) preset = base_of(path, *base);

  std::vector<std::string_view> known{"base", "layer_id", "start_pos"};
  visit_fields(config, [&](std::string_view name, std::string_view key, auto& member) {
    known.push_back(name);
    if (name != key) known.push_back(key);
    if (const toml::node* node = find_field(path, table, name, key)) {
      read_value(place(path, name, *node), *node, member);
      preset.given.emplace(name);
    } else if (base == nullptr && !may_be_left_out(name)) {
      throw config_error("{}: '{}' is missing; a preset gives every field, or names a base = \"flash\" for the rest",
                         path, name);
    }
  });
  if (const toml::node* node = table.get("layer_id"))
    read_value(place(path, "layer_id", *node), *node, config.layer_id);
  if (const toml::node* node = table.get("start_pos"))
    read_value(place(path, "start_pos", *node), *node, preset.start_pos.emplace());

  for (const auto& [key, node] : table) {
    const std::string_view name = key.str();
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      throw config_error("{}: unknown key; nearest is '{}'", place(path, name, node), isa::nearest_name(name, known));
    }
  }
  validate(config, path);
  if (base != nullptr && !table.contains("recv_max")) {
    config.recv_max = recv_max_of(config);
    validate(config, path);
  }
  return preset;
}

}  // namespace

Preset read_preset_file(const std::string& path) {
  if (!path.ends_with(kJsonEnding)) return read_toml_preset(path);
  const auto file = MappedFile::open(path);
  if (file->bytes().size() > model::kMostTomlBytes) {
    throw config_error("{}: has more than {} bytes", path, model::kMostTomlBytes);
  }
  Preset preset;
  preset.config = config_from_json({reinterpret_cast<const char*>(file->bytes().data()), file->bytes().size()},
                                   path + ": the text", &preset.start_pos);
  visit_fields(preset.config,
               [&](std::string_view name, std::string_view, const auto&) { preset.given.emplace(name); });
  validate(preset.config, path);
  return preset;
}

}  // namespace npu::orch
