#include "orchestration/host/reference_case.hpp"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "isa/errors.hpp"
#include "kernels/reference/attention.hpp"
#include "kernels/reference/exchange.hpp"
#include "kernels/reference/layer.hpp"

namespace npu::orch {
namespace {

namespace reference = kernels::reference;
using isa::Bf16;

Tensor writable_copy(const Tensor& source) {
  Tensor copy = Tensor::zeros(source.name(), source.dtype(), source.shape());
  copy_differences(copy.writable_bytes(), source.bytes());
  return copy;
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

Tensor empty_result(const LayerCase& layer, std::string_view name) {
  const TensorSpec& spec = tensor_spec(name);
  return Tensor::zeros(std::string{name}, spec.dtype, spec.shape(layer.config));
}

bool has(const LayerCase& layer, std::string_view name) { return layer.expected.contains(name); }

void add_attention(LayerCase& layer, unsigned threads) {
  std::vector<Tensor> ranks;
  for (std::uint32_t r = 0; r < layer.config.ranks; ++r) {
    reference::SparseAttentionIn in;
    in.q = layer.result("mid.attn.q", r).as<Bf16>();
    in.ring = layer.input("kv_cache", r).as<Bf16>();
    in.ring_table = layer.input("block_table", r).as<std::int32_t>();
    in.kv = layer.result("mid.attn.kv", r).as<Bf16>();
    Tensor compressed;
    if (layer.kind != kernels::AttentionKind::Swa) {
      compressed = pool_after(layer, "cmp_kv", r);
      in.cmp_kv = compressed.as<Bf16>();
      in.cmp_table = layer.input("cmp_block_table", r).as<std::int32_t>();
    }
    in.indices = layer.result("mid.attn.sparse_indices", r).as<std::int32_t>();
    in.sink = layer.input("attn_sink", r).as<float>();
    in.cos = layer.result("mid.attn.rope_cos", r).as<Bf16>();
    in.sin = layer.result("mid.attn.rope_sin", r).as<Bf16>();
    Tensor out = empty_result(layer, "mid.attn.attention");
    reference::sparse_attention(layer.config, in, out.writable<Bf16>(), threads);
    ranks.push_back(std::move(out));
  }
  layer.expected.emplace("mid.attn.attention", std::move(ranks));
}

void add_routes(LayerCase& layer) {
  const auto& c = layer.config;
  std::vector<Tensor> x(c.ranks), scale(c.ranks), w(c.ranks), route(c.ranks), count(c.ranks), source(c.ranks);
  std::vector<reference::DispatchIn> in;
  std::vector<reference::DispatchOut> out;
  for (std::uint32_t r = 0; r < c.ranks; ++r) {
    in.push_back(
        {layer.result("mid.moe.x_norm_i8", r).as<std::int8_t>(), layer.result("mid.moe.x_norm_scale", r).as<float>(),
         layer.result("mid.moe.indices", r).as<std::int32_t>(), layer.result("mid.moe.weights", r).as<float>()});
    x[r] = empty_result(layer, "mid.moe.recv_x");
    scale[r] = empty_result(layer, "mid.moe.recv_scale");
    w[r] = empty_result(layer, "mid.moe.recv_w");
    route[r] = empty_result(layer, "mid.moe.recv_route");
    source[r] = empty_result(layer, "mid.moe.recv_route");
    count[r] = empty_result(layer, "mid.moe.recv_count");
    out.push_back({x[r].writable<std::int8_t>(), scale[r].writable<float>(), w[r].writable<float>(),
                   route[r].writable<std::int32_t>(), source[r].writable<std::int32_t>(),
                   count[r].writable<std::int32_t>()});
  }
  reference::dispatch(c, in, out);
  layer.expected.emplace("mid.moe.recv_route", std::move(route));
}

}  // namespace

void add_reference_results(LayerCase& layer, unsigned threads) {
  const auto& c = layer.config;
  std::vector<reference::LayerInputs> inputs(c.ranks);
  std::map<std::string, std::vector<Tensor>, std::less<>> pools;
  for (std::uint32_t r = 0; r < c.ranks; ++r) {
    reference::visit_inputs(layer.kind, inputs[r], [&](const std::string& name, auto& span) {
      using Element = typename std::remove_reference_t<decltype(span)>::element_type;
      if constexpr (std::is_const_v<Element>) {
        span = layer.input(name, r).as<std::remove_const_t<Element>>();
      } else {
        span = pools[name].emplace_back(writable_copy(layer.input(name, r))).template writable<Element>();
      }
    });
  }
  const auto results = reference::decode_layer(c, reference::Numerics::Device, inputs, threads);
  for (const auto& result : results) {
    reference::visit_outputs(layer.kind, result, [&](std::string_view name, const auto& values) {
      if (name.starts_with("out.")) name.remove_prefix(4);
      if (find_tensor(name) == nullptr) return;
      Tensor tensor = empty_result(layer, name);
      const auto bytes = std::as_bytes(std::span{values});
      NPU_ASSERT(bytes.size() == tensor.bytes().size(), "reference and tensor table agree on the shape");
      std::memcpy(tensor.writable_bytes().data(), bytes.data(), bytes.size());
      layer.expected[std::string{name}].push_back(std::move(tensor));
    });
  }
  for (auto& [name, ranks] : pools) {
    if (name == "kv_cache") {
      layer.expected[name] = std::move(ranks);  // whole, as in the golden files
    } else {
      for (std::uint32_t r = 0; r < c.ranks; ++r) {
        layer.changes[name].push_back(changes_between(layer.input(name, r), ranks[r]));
      }
    }
  }
}

Tensor pool_after(const LayerCase& layer, std::string_view name, std::uint32_t rank) {
  if (layer.expected.contains(name)) return layer.result(name, rank);
  const auto changes = layer.changes.find(name);
  if (changes == layer.changes.end()) return layer.input(name, rank);
  Tensor pool = writable_copy(layer.input(name, rank));
  const PoolChanges& rows = changes->second[rank];
  const std::size_t row_bytes = pool.row_length() * isa::size_of(pool.dtype());
  for (std::size_t i = 0; i < rows.rows.size(); ++i) {
    std::memcpy(pool.writable_bytes().data() + rows.rows[i] * row_bytes, rows.values.bytes().data() + i * row_bytes,
                row_bytes);
  }
  return pool;
}

void add_derived_results(LayerCase& layer, unsigned threads) {
  const auto holds = [&](std::initializer_list<std::string_view> names) {
    for (const std::string_view name : names) {
      if (!has(layer, name)) return false;
    }
    return true;
  };
  if (!has(layer, "mid.attn.attention") &&
      holds({"mid.attn.q", "mid.attn.kv", "mid.attn.sparse_indices", "mid.attn.rope_cos", "mid.attn.rope_sin"})) {
    add_attention(layer, threads);
  }
  if (!has(layer, "mid.moe.recv_route") &&
      holds({"mid.moe.x_norm_i8", "mid.moe.x_norm_scale", "mid.moe.indices", "mid.moe.weights"})) {
    add_routes(layer);
  }
}

Tensor exchange_counts(const LayerCase& layer) {
  const auto& c = layer.config;
  Tensor counts = Tensor::zeros("win_pub_counts", isa::DType::I32, {std::uint64_t{c.ranks} * c.ranks, c.local_experts});
  const auto table = counts.writable<std::int32_t>();
  for (std::uint32_t source = 0; source < c.ranks; ++source) {
    for (const std::int32_t id : layer.result("mid.moe.indices", source).as<std::int32_t>()) {
      // Row source * R + destination, column local expert: the flat index of (source, expert over all ranks).
      ++table[std::uint64_t{source} * c.ranks * c.local_experts + static_cast<std::uint64_t>(id)];
    }
  }
  return counts;
}

}  // namespace npu::orch
