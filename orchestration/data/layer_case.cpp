#include "orchestration/data/layer_case.hpp"

#include <algorithm>
#include <cstring>

#include "isa/errors.hpp"
#include "isa/nearest_name.hpp"
#include "orchestration/data/case_metadata.hpp"
#include "orchestration/data/presets.hpp"

namespace npu::orch {
namespace {

using kernels::LayerConfig;

constexpr std::string_view kLayerIdKey = "in.layer_id";

Shape with_rank_axis(const TensorSpec& spec, const LayerConfig& config) {
  Shape shape = spec.shape(config);
  shape.insert(shape.begin(), config.ranks);
  return shape;
}

void require_form(const std::string& path, const Tensor& tensor, isa::DType dtype, const Shape& shape) {
  if (tensor.dtype() != dtype || tensor.shape() != shape) {
    throw config_error("{}: tensor '{}': expected {} {}, got {} {}", path, tensor.name(), isa::name_of(dtype),
                       to_string(shape), isa::name_of(tensor.dtype()), to_string(tensor.shape()));
  }
}

template <class T>
void require_range(const std::string& path, const Tensor& tensor, IndexRange range) {
  const auto values = tensor.as<T>();
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i] < range.first || values[i] >= range.limit) {
      throw config_error("{}: tensor '{}': element {} is {}; expected {}..{}", path, tensor.name(), i, values[i],
                         range.first, range.limit - 1);
    }
  }
}

void check(const std::string& path, const TensorSpec& spec, const LayerConfig& config, const Tensor& tensor) {
  require_form(path, tensor, spec.dtype, with_rank_axis(spec, config));
  if (spec.range == nullptr) return;
  if (spec.dtype == isa::DType::I32) {
    require_range<std::int32_t>(path, tensor, spec.range(config));
  } else {
    require_range<std::int64_t>(path, tensor, spec.range(config));
  }
}

std::vector<Tensor> split_ranks(const Tensor& tensor) {
  std::vector<Tensor> ranks;
  for (std::uint64_t r = 0; r < tensor.shape().front(); ++r) ranks.push_back(tensor.slice(r));
  return ranks;
}

/// out.P.rows and out.P.vals: row numbers over [rank, page, row], strictly ascending.
std::vector<PoolChanges> read_changes(const std::string& path, const TensorSpec& spec, const LayerConfig& config,
                                      const Tensor& rows, const Tensor& values) {
  const Shape pool = spec.shape(config);
  const std::uint64_t count = rows.elements();
  require_form(path, rows, isa::DType::I64, {count});
  require_form(path, values, spec.dtype, {count, pool.back()});
  const std::uint64_t per_rank = element_count(pool, spec.name) / pool.back();
  const auto numbers = rows.as<std::int64_t>();
  require_range<std::int64_t>(path, rows, {0, static_cast<std::int64_t>(per_rank * config.ranks)});
  if (std::adjacent_find(numbers.begin(), numbers.end(), std::greater_equal<>{}) != numbers.end()) {
    throw config_error("{}: tensor '{}': row numbers must ascend", path, rows.name());
  }
  std::vector<PoolChanges> changes(config.ranks);
  std::uint64_t begin = 0;
  for (std::uint32_t r = 0; r < config.ranks; ++r) {
    std::uint64_t end = begin;
    for (; end < count && static_cast<std::uint64_t>(numbers[end]) < (r + 1) * per_rank; ++end) {
      changes[r].rows.push_back(static_cast<std::uint64_t>(numbers[end]) - r * per_rank);
    }
    changes[r].values = values.slice(begin, end);
    begin = end;
  }
  return changes;
}

/// Every name that a file of this project may hold.
std::vector<std::string> known_keys() {
  std::vector<std::string> keys{std::string{kLayerIdKey}};
  for (const TensorSpec& spec : layer_tensors()) {
    if (spec.is_input()) keys.push_back(spec.input_key());
    if (spec.role != Role::Input) keys.push_back(spec.result_key());
    if (spec.role == Role::Pool) {
      keys.push_back(spec.result_key() + ".rows");
      keys.push_back(spec.result_key() + ".vals");
    }
  }
  return keys;
}

void refuse_unknown(const SafetensorsFile& file) {
  const auto keys = known_keys();
  const std::vector<std::string_view> known(keys.begin(), keys.end());
  for (const Tensor& t : file.tensors) {
    if (std::find(known.begin(), known.end(), t.name()) == known.end()) {
      throw config_error("{}: tensor '{}' is unknown; nearest is '{}'", file.path, t.name(),
                         isa::nearest_name(t.name(), known));
    }
  }
}

void check_layer_id(const SafetensorsFile& file, const LayerConfig& config) {
  const Tensor* id = file.find(kLayerIdKey);
  if (id == nullptr) return;
  require_form(file.path, *id, isa::DType::I32, {1});
  if (id->as<std::int32_t>().front() != static_cast<std::int64_t>(config.layer_id)) {
    throw config_error("{}: tensor '{}' is {}, but metadata 'layer_id' is {}", file.path, kLayerIdKey,
                       id->as<std::int32_t>().front(), config.layer_id);
  }
}

void load_results(LayerCase& layer, const SafetensorsFile& file, const TensorSpec& spec) {
  const std::string key = spec.result_key();
  if (const Tensor* t = file.find(key)) {
    check(file.path, spec, layer.config, *t);
    layer.expected.emplace(spec.name, split_ranks(*t));
  }
  if (spec.role != Role::Pool) return;
  const Tensor* rows = file.find(key + ".rows");
  const Tensor* values = file.find(key + ".vals");
  if ((rows == nullptr) != (values == nullptr)) {
    throw config_error("{}: tensors '{}.rows' and '{}.vals' belong together; one is missing", file.path, key, key);
  }
  if (rows != nullptr) layer.changes.emplace(spec.name, read_changes(file.path, spec, layer.config, *rows, *values));
}

const Tensor& find_rank(const LayerCase::ByName<std::vector<Tensor>>& tensors, std::string_view name,
                        std::uint32_t rank, std::string_view what) {
  const auto it = tensors.find(name);
  if (it == tensors.end()) throw config_error("the case holds no {} '{}'", what, tensor_spec(name).name);
  NPU_ASSERT(rank < it->second.size(), "the rank exists");
  return it->second[rank];
}

TensorRecord record_of(std::string name, const std::vector<Tensor>& ranks) {
  TensorRecord record{std::move(name), ranks.front().dtype(), ranks.front().shape(), {}};
  record.shape.insert(record.shape.begin(), ranks.size());
  for (const Tensor& t : ranks) record.parts.push_back(t.bytes());
  return record;
}

PoolChanges changes_between(const Tensor& before, const Tensor& after) {
  const std::size_t size = before.row_length() * isa::size_of(before.dtype());
  const auto row = [&](const Tensor& pool, std::uint64_t i) { return pool.bytes().subspan(i * size, size); };
  PoolChanges changes;
  for (std::uint64_t i = 0; i < before.row_count(); ++i) {
    if (std::memcmp(row(before, i).data(), row(after, i).data(), size) != 0) changes.rows.push_back(i);
  }
  changes.values = Tensor::zeros(before.name(), before.dtype(), {changes.rows.size(), before.row_length()});
  for (std::size_t i = 0; i < changes.rows.size(); ++i) {
    std::ranges::copy(row(after, changes.rows[i]), changes.values.writable_bytes().subspan(i * size).begin());
  }
  return changes;
}

}  // namespace

const Tensor& LayerCase::input(std::string_view name, std::uint32_t rank) const {
  return find_rank(inputs, name, rank, "input");
}

const Tensor& LayerCase::result(std::string_view name, std::uint32_t rank) const {
  return find_rank(expected, name, rank, "expected result");
}

LayerCase load_case(const std::string& path, const TensorFilter& wanted) {
  const SafetensorsFile file = read_safetensors(path);
  LayerCase layer;
  layer.config = config_from_metadata(file.metadata, path);
  layer.kind = attention_kind(layer.config);
  layer.provenance = file.metadata;
  for (const char* key : {"config", "layer_id", "kind"}) layer.provenance.erase(key);
  refuse_unknown(file);
  check_layer_id(file, layer.config);
  for (const TensorSpec& spec : layer_tensors()) {
    if (spec.of_layer() && !spec.used_by(layer.kind)) continue;
    if (spec.is_input() && (!wanted || wanted(spec.name))) {
      const Tensor* t = file.find(spec.input_key());
      if (t == nullptr && !spec.of_layer()) continue;
      if (t == nullptr) {
        throw config_error("{}: tensor '{}' is missing; expected {} {}", path, spec.input_key(),
                           isa::name_of(spec.dtype), to_string(with_rank_axis(spec, layer.config)));
      }
      check(path, spec, layer.config, *t);
      layer.inputs.emplace(spec.name, split_ranks(*t));
    }
    if (spec.role != Role::Input) load_results(layer, file, spec);
  }
  return layer;
}

void pools_to_changes(LayerCase& layer) {
  for (const TensorSpec& spec : layer_tensors()) {
    const auto it = layer.expected.find(spec.name);
    if (spec.role != Role::Pool || spec.trait == Trait::Ring || it == layer.expected.end()) continue;
    auto& changes = layer.changes[it->first];
    changes.clear();
    for (std::uint32_t r = 0; r < layer.config.ranks; ++r) {
      changes.push_back(changes_between(layer.input(spec.name, r), it->second[r]));
    }
    layer.expected.erase(it);
  }
}

void save_case(const LayerCase& layer, const std::string& path) {
  Metadata metadata = layer.provenance;
  add_config(metadata, layer.config);
  std::vector<TensorRecord> records;
  std::vector<std::vector<std::int64_t>> row_numbers;
  row_numbers.reserve(layer.changes.size());
  for (const TensorSpec& spec : layer_tensors()) {
    if (const auto it = layer.inputs.find(spec.name); it != layer.inputs.end()) {
      records.push_back(record_of(spec.input_key(), it->second));
    }
  }
  const auto layer_id = static_cast<std::int32_t>(layer.config.layer_id);
  records.push_back({std::string{kLayerIdKey}, isa::DType::I32, {1}, {std::as_bytes(std::span{&layer_id, 1})}});
  for (const TensorSpec& spec : layer_tensors()) {
    if (const auto it = layer.expected.find(spec.name); it != layer.expected.end()) {
      records.push_back(record_of(spec.result_key(), it->second));
    }
    if (const auto it = layer.changes.find(spec.name); it != layer.changes.end()) {
      const Shape pool = spec.shape(layer.config);
      const std::uint64_t per_rank = element_count(pool, spec.name) / pool.back();
      auto& numbers = row_numbers.emplace_back();
      TensorRecord values{spec.result_key() + ".vals", spec.dtype, {}, {}};
      for (std::size_t r = 0; r < it->second.size(); ++r) {
        for (const std::uint64_t row : it->second[r].rows) {
          numbers.push_back(static_cast<std::int64_t>(r * per_rank + row));
        }
        values.parts.push_back(it->second[r].values.bytes());
      }
      values.shape = {numbers.size(), pool.back()};
      records.push_back(
          {spec.result_key() + ".rows", isa::DType::I64, {numbers.size()}, {std::as_bytes(std::span{numbers})}});
      records.push_back(std::move(values));
    }
  }
  // Wide elements first: every tensor then lies aligned in a file whose header is padded to 8 bytes.
  std::stable_sort(records.begin(), records.end(), [](const TensorRecord& a, const TensorRecord& b) {
    return isa::size_of(a.dtype) > isa::size_of(b.dtype);
  });
  write_safetensors(path, metadata, records);
}

}  // namespace npu::orch
