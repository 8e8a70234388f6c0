#include "sim_tests/support/golden_case.hpp"

#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace npu::test {
namespace {

using kernels::reference::LayerInputs;
using kernels::reference::LayerOutputs;

kernels::LayerConfig read_config(const nlohmann::json& json, std::uint32_t layer_id) {
  kernels::LayerConfig c;
  const auto get = [&](const char* key, auto& field) { field = json.at(key).get<std::decay_t<decltype(field)>>(); };
  get("n_ranks", c.ranks);
  get("B", c.batch);
  get("S", c.seq);
  get("D", c.hidden);
  get("H", c.heads);
  get("head_dim", c.head_dim);
  get("rope_dim", c.rope_dim);
  get("q_lora", c.q_lora);
  get("o_lora", c.o_lora);
  get("o_groups", c.o_groups);
  get("win", c.window);
  get("block_size", c.page);
  get("eps", c.eps);
  get("hc_eps", c.hc_eps);
  get("hc_mult", c.hc_mult);
  get("sinkhorn_iters", c.sinkhorn_iters);
  get("vocab", c.vocab);
  get("max_seq", c.max_positions);
  get("n_experts", c.experts);
  get("n_local", c.local_experts);
  get("topk", c.top_k);
  get("moe_inter", c.moe_inter);
  get("route_scale", c.route_scale);
  get("swiglu_limit", c.swiglu_limit);
  get("n_hash_layers", c.hash_layers);
  get("recv_max", c.recv_max);
  get("idx_heads", c.index_heads);
  get("idx_head_dim", c.index_dim);
  get("idx_topk", c.index_topk);
  get("attn_k_tile", c.softmax_block);
  get("cmp_max_blocks", c.cmp_max_blocks);
  get("idx_max_blocks", c.idx_max_blocks);
  get("c4_block", c.c4_page);
  get("c4_max_blocks", c.c4_max_blocks);
  get("c128_block", c.c128_page);
  get("c128_max_blocks", c.c128_max_blocks);
  get("compress_ratios", c.compress_ratios);
  c.layer_id = layer_id;
  return c;
}

}  // namespace

GoldenCase::GoldenCase(const std::string& file) {
  const std::string path = std::string{NPU_GOLDENS_DIR} + "/" + file;
  std::ifstream stream{path, std::ios::binary};
  std::uint64_t length = 0;
  stream.read(reinterpret_cast<char*>(&length), sizeof length);
  if (!stream) throw std::runtime_error("cannot read " + path);
  std::string text(length, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(length));
  const nlohmann::json header = nlohmann::json::parse(text);
  for (const auto& [name, entry] : header.items()) {
    if (name == "__metadata__") continue;
    const auto begin = entry.at("data_offsets").at(0).get<std::uint64_t>();
    std::vector<std::byte> bytes(entry.at("data_offsets").at(1).get<std::uint64_t>() - begin);
    stream.seekg(static_cast<std::streamoff>(sizeof length + length + begin));
    stream.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    if (!stream) throw std::runtime_error(path + " ends within " + name);
    tensors_.emplace(name, std::move(bytes));
  }
  const nlohmann::json& meta = header.at("__metadata__");
  config = read_config(nlohmann::json::parse(meta.at("config").get<std::string>()),
                       static_cast<std::uint32_t>(std::stoul(meta.at("layer_id").get<std::string>())));
  kind = kernels::reference::attention_kind(config);
}

const std::vector<std::byte>& GoldenCase::find(const std::string& name) const {
  const auto it = tensors_.find(name);
  if (it == tensors_.end()) throw std::runtime_error("the golden file has no tensor " + name);
  return it->second;
}

GoldenInputs::GoldenInputs(const GoldenCase& golden) : ranks(golden.config.ranks) {
  for (std::size_t r = 0; r < ranks.size(); ++r)
    kernels::reference::visit_inputs(golden.kind, ranks[r], [&]<class T>(const std::string& name, std::span<T>& field) {
      const std::span<const T> source = golden.of_rank<std::remove_const_t<T>>("in." + name, r);
      if constexpr (std::is_const_v<T>)
        field = source;
      else if constexpr (std::is_same_v<T, float>)
        field = states_[name].emplace_back(source.begin(), source.end());
      else
        field = pools_[name].emplace_back(source.begin(), source.end());
    });
}

LayerOutputs golden_outputs(const GoldenCase& golden, std::size_t rank) {
  LayerOutputs out;
  kernels::reference::visit_outputs(golden.kind, out, [&]<class T>(const std::string& name, std::vector<T>& field) {
    if (!golden.has(name)) return;
    const std::span<const T> source = golden.of_rank<T>(name, rank);
    field.assign(source.begin(), source.end());
  });
  return out;
}

}  // namespace npu::test
