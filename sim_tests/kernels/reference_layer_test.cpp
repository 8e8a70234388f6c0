// The composed layer over all ranks against the golden files.
#include <catch2/catch.hpp>

#include "isa/errors.hpp"
#include "kernels/reference/layer.hpp"
#include "sim_tests/support/closeness.hpp"
#include "sim_tests/support/golden_case.hpp"

namespace {

using namespace npu;
using namespace npu::kernels;
using namespace npu::kernels::reference;
using isa::Bf16;
using test::GoldenCase;

constexpr const char* kFiles[] = {"tiny-L0.safetensors",        "tiny-L3.safetensors",
                                  "tiny-L10.safetensors",       "tiny-stress-L0.safetensors",
                                  "tiny-stress-L3.safetensors", "tiny-stress-L10.safetensors",
                                  "small-stress-L0.safetensors"};

/// x_next, x_attn and kv_cache of all ranks, one after the other.
struct Result {
  std::vector<float> x_attn, x_next, kv_cache;
};

template <class T>
void append(std::vector<float>& to, std::span<const T> values) {
  const std::vector<float> more = test::as_floats(values);
  to.insert(to.end(), more.begin(), more.end());
}

Result collect(const std::vector<LayerOutputs>& outputs, const test::GoldenInputs& inputs) {
  Result result;
  for (std::size_t r = 0; r < outputs.size(); ++r) {
    append<Bf16>(result.x_attn, outputs[r].x_attn);
    append<Bf16>(result.x_next, outputs[r].x_next);
    append<Bf16>(result.kv_cache, inputs.ranks[r].kv_cache);
  }
  return result;
}

Result expected_result(const GoldenCase& golden) {
  Result result;
  append(result.x_attn, golden.all<Bf16>("mid.x_attn"));
  append(result.x_next, golden.all<Bf16>("out.x_next"));
  append(result.kv_cache, golden.all<Bf16>("out.kv_cache"));
  return result;
}

test::Closeness judge_x_next(const Result& actual, const Result& expected) {
  return test::reldiff(actual.x_next, expected.x_next, 0.1, 0.05);
}

/// Runs the layer after `spoil` had its way with configuration and inputs; true if upstream's rule still holds.
template <class Spoil>
bool passes_with_fault(const char* file, const Spoil& spoil) {
  const GoldenCase golden{file};
  test::GoldenInputs inputs{golden};
  LayerConfig config = golden.config;
  spoil(config, inputs.ranks);
  const auto outputs = decode_layer(config, Numerics::Golden, inputs.ranks);
  return judge_x_next(collect(outputs, inputs), expected_result(golden)).ok;
}

TEST_CASE("the composed layer meets upstream's end-to-end rules in both numerics", "[reference][layer]") {
  for (const char* file : kFiles)
    for (const Numerics numerics : {Numerics::Golden, Numerics::Device}) {
      const GoldenCase golden{file};
      test::GoldenInputs inputs{golden};
      const auto outputs = decode_layer(golden.config, numerics, inputs.ranks, 2);
      const Result actual = collect(outputs, inputs), expected = expected_result(golden);
      const test::Closeness x_next = judge_x_next(actual, expected);
      const test::Closeness cache = test::allclose(actual.kv_cache, expected.kv_cache, 1e-4, 1.0 / 128, 0.005);
      const double l2_attn = test::relative_l2(actual.x_attn, expected.x_attn);
      const double l2_next = test::relative_l2(actual.x_next, expected.x_next);
      INFO(file << (numerics == Numerics::Golden ? " golden" : " device"));
      INFO("x_next: " << x_next.describe() << ", relative L2 " << l2_next << ", of x_attn " << l2_attn);
      INFO("kv_cache: " << cache.describe());
      CHECK(x_next.ok);
      CHECK(cache.ok);
      CHECK(l2_attn < 0.015);  // the goldens' README
      CHECK(l2_next < 0.08);
    }
}

TEST_CASE("planted faults break the end-to-end rule", "[reference][layer]") {
  constexpr const char* kFile = "tiny-stress-L10.safetensors";
  using Ranks = std::vector<LayerInputs>;
  CHECK(passes_with_fault(kFile, [](LayerConfig&, Ranks&) {}));
  CHECK_FALSE(passes_with_fault(kFile, [](LayerConfig& config, Ranks&) { config.swiglu_limit = 0.0F; }));
  const std::vector<float> ones(1024, 1.0F), zeros(1024, 0.0F);
  CHECK_FALSE(passes_with_fault(kFile, [&](LayerConfig& config, Ranks& ranks) {
    for (LayerInputs& in : ranks) in.norm_w = std::span{ones}.first(config.hidden);
  }));
  CHECK_FALSE(passes_with_fault(kFile, [&](LayerConfig& config, Ranks& ranks) {
    for (LayerInputs& in : ranks) in.gate_bias = std::span{zeros}.first(config.experts);
  }));
  CHECK_FALSE(passes_with_fault(kFile, [&](LayerConfig& config, Ranks& ranks) {
    for (LayerInputs& in : ranks) in.hc_attn.base = std::span{zeros}.first(config.mix_width());
  }));
}

TEST_CASE("the thread count does not change a bit of the layer", "[reference][layer]") {
  const GoldenCase golden{"tiny-stress-L10.safetensors"};
  for (const Numerics numerics : {Numerics::Golden, Numerics::Device}) {
    test::GoldenInputs one{golden}, three{golden};
    const auto a = decode_layer(golden.config, numerics, one.ranks, 1);
    const auto b = decode_layer(golden.config, numerics, three.ranks, 3);
    for (std::size_t r = 0; r < a.size(); ++r) {
      CHECK(a[r].x_next == b[r].x_next);
      CHECK(a[r].idx_score == b[r].idx_score);
      CHECK(a[r].attn_out == b[r].attn_out);
      CHECK(a[r].recv_y == b[r].recv_y);
      CHECK(std::equal(one.ranks[r].idx_kv_cache.begin(), one.ranks[r].idx_kv_cache.end(),
                       three.ranks[r].idx_kv_cache.begin()));
    }
  }
}

TEST_CASE("inputs that point outside their pools are refused by name", "[reference][layer][negative]") {
  const GoldenCase golden{"tiny-stress-L10.safetensors"};
  using Ranks = std::vector<LayerInputs>;
  const auto run = [&](const auto& spoil) {
    test::GoldenInputs inputs{golden};
    LayerConfig config = golden.config;
    spoil(config, inputs.ranks);
    (void)decode_layer(config, Numerics::Golden, inputs.ranks, 2);
  };
  using Catch::Matchers::Contains;
  const std::vector<std::int64_t> far_slots(64, 1'000'000), far_ids(64, 1'000'000);
  const std::vector<std::int32_t> far_pages(4096, 1'000'000), far_positions(64, 1'000'000);
  CHECK_THROWS_WITH(run([](LayerConfig& c, Ranks&) { c.recv_max = 0; }), Contains("recv_max"));
  CHECK_THROWS_WITH(run([](LayerConfig& c, Ranks&) { c.layer_id = 99; }), Contains("compress_ratios"));
  CHECK_THROWS_WITH(run([](LayerConfig& c, Ranks&) { c.compress_ratios.assign(11, 5); }), Contains("0, 4 and 128"));
  CHECK_THROWS_WITH(run([&](LayerConfig& c, Ranks& r) {
                      c.hash_layers = 11;
                      r[1].input_ids = std::span{far_ids}.first(c.tokens());
                    }),
                    Contains("input_ids"));
  CHECK_THROWS_WITH(
      run([&](LayerConfig& c, Ranks& r) { r[0].ori_slot_mapping = std::span{far_slots}.first(c.tokens()); }),
      Contains("ori_slot_mapping"));
  CHECK_THROWS_WITH(run([&](LayerConfig& c, Ranks& r) { r[0].block_table = std::span{far_pages}.first(c.batch); }),
                    Contains("block_table"));
  CHECK_THROWS_WITH(
      run([&](LayerConfig& c, Ranks& r) { r[0].idx_block_table = std::span{far_pages}.first(c.batch * 5); }),
      Contains("idx_block_table"));
  CHECK_THROWS_WITH(
      run([&](LayerConfig& c, Ranks& r) { r[0].position_ids = std::span{far_positions}.first(c.tokens()); }),
      Contains("position_ids"));
  CHECK_THROWS_AS(run([](LayerConfig& c, Ranks&) { c.layer_id = 99; }), ConfigError);
}

}  // namespace
