// Ring write-back and output projection against the untiled references; legality at the models' sizes.
#include <algorithm>
#include <bit>
#include <catch2/catch.hpp>

#include "isa/verifier.hpp"
#include "kernels/attention/kv_row.hpp"
#include "kernels/attention/o_proj.hpp"
#include "kernels/attention/q_heads.hpp"
#include "kernels/attention/q_latent.hpp"
#include "kernels/attention/ring_write.hpp"
#include "kernels/reference/attention.hpp"
#include "kernels/reference/matmul.hpp"
#include "kernels/reference/rows.hpp"
#include "sim_tests/kernels/attention_values.hpp"
#include "sim_tests/support/kernel_bench.hpp"

namespace npu {
namespace {

using isa::Bf16;
using kernels::LayerConfig;
using namespace kernels::reference;
using test::RandomValues;

void check_ring_write(const LayerConfig& c, const std::vector<std::int64_t>& slots, std::size_t ring_rows) {
  RandomValues random{21};
  const auto kv = random.bf16s(std::size_t{c.tokens()} * c.head_dim);
  const auto before = random.bf16s(ring_rows * c.head_dim);
  std::vector<Bf16> expected = before;
  write_back(c, kv, slots, expected);

  test::KernelBench bench;
  bench.bind("kv", kv);
  bench.bind("ori_slot_mapping", slots);
  bench.bind("kv_cache", before);
  bench.run(kernels::ring_write(c, isa::a2a3_arch_spec()));
  CHECK(bench.read<Bf16>("kv_cache") == expected);
}

TEST_CASE("ring rows are written for slots from 0 on only, the last token of a slot wins", "[attention]") {
  check_ring_write(test::tiny_attention(5, 1), {7, -1, 0, 7, 31}, 32);
}
TEST_CASE("the ring rows of 131 tokens with repeated slots end as token order says", "[attention]") {
  RandomValues random{22};
  check_ring_write(test::tiny_attention(131, 1), random.integers<std::int64_t>(131, -1, 47), 48);
}

void check_o_proj_a(const LayerConfig& c) {
  RandomValues random{23};
  const std::size_t tokens = c.tokens(), groups = c.o_groups, inner = c.group_inner(), latent = c.o_lora;
  const auto o = random.bf16s(tokens * groups * inner), wo_a = random.bf16s(groups * latent * inner, 0, 0.1F);
  const std::vector<float> wide = widen(o);
  std::vector<float> expected(tokens * groups * latent);
  for (std::size_t g = 0; g < groups; ++g) {
    matmul_transposed({&wide[g * inner], tokens, inner, groups * inner},
                      Matrix<const Bf16>{&wo_a[g * latent * inner], latent, inner},
                      {&expected[g * latent], tokens, latent, groups * latent});
  }
  test::KernelBench bench;
  bench.bind("o", o);
  bench.bind("wo_a", wo_a);
  bench.bind("r", std::vector<float>(expected.size()));
  bench.run(kernels::o_proj_a(c, isa::a2a3_arch_spec()));
  CHECK(bench.read<float>("r") == expected);
}

TEST_CASE("the grouped output product of a tiny layer equals the chain along k bit by bit", "[attention]") {
  check_o_proj_a(test::tiny_attention(8, 2));
}
TEST_CASE("the grouped output product is exact with short row and column tiles", "[attention]") {
  LayerConfig c = test::tiny_attention(133, 1);
  c.o_lora = 168;
  check_o_proj_a(c);
}

void check_o_quant(const LayerConfig& c) {
  RandomValues random{24};
  const std::size_t tokens = c.tokens(), width = std::size_t{c.o_groups} * c.o_lora;
  std::vector<float> r = random.floats(tokens * width);
  for (std::size_t i = 0; i < r.size(); i += 5) r[i] = isa::to_float(isa::to_bf16(r[i])) + 0.00390625F * r[i];
  for (std::size_t i = 0; i < r.size(); i += 7) {  // exact ties between bf16 neighbours
    r[i] = std::bit_cast<float>((std::bit_cast<std::uint32_t>(r[i]) & 0xffff0000U) | 0x8000U);
  }
  std::fill_n(r.begin(), width, 0.0F);  // a row below the clamp
  std::vector<std::int8_t> expected(r.size());
  std::vector<float> expected_scale(tokens);
  for (std::size_t t = 0; t < tokens; ++t) {
    std::vector<Bf16> rounded(width);
    narrow({&r[t * width], width}, rounded);
    expected_scale[t] = quantise(widen(rounded), {&expected[t * width], width});
  }
  test::KernelBench bench;
  bench.bind("r", r);
  bench.bind("o_i8", std::vector<std::int8_t>(r.size()));
  bench.bind("o_scale", std::vector<float>(tokens));
  bench.run(kernels::o_quant(c, isa::a2a3_arch_spec()));
  CHECK(bench.read<std::int8_t>("o_i8") == expected);
  CHECK(bench.read<float>("o_scale") == expected_scale);
}

TEST_CASE("the attention output of a tiny layer is quantised exactly", "[attention]") {
  check_o_quant(test::tiny_attention(8, 2));
}
TEST_CASE("rows longer than a piece are quantised by their whole maximum", "[attention]") {
  LayerConfig c = test::tiny_attention(49, 1);
  c.o_groups = 4;
  c.o_lora = 1100;
  check_o_quant(c);
}

TEST_CASE("the attention kernels are legal at the sizes of both models and for one token", "[attention]") {
  const isa::ArchSpec arch = isa::a2a3_arch_spec();
  for (const LayerConfig& c : {test::flash_attention(), test::pro_attention(), test::tiny_attention(1, 1)}) {
    for (const kernels::Kernel& kernel :
         {kernels::q_latent(c, arch), kernels::q_heads(c, arch), kernels::kv_row(c, arch), kernels::ring_write(c, arch),
          kernels::o_proj_a(c, arch), kernels::o_quant(c, arch)}) {
      INFO(kernel.object.name);
      CHECK_NOTHROW(isa::require_legal(kernel.object, arch));
      for (const isa::ArgInfo& argument : kernel.object.args) CHECK(argument.kind != isa::ArgKind::Workspace);
    }
  }
}

}  // namespace
}  // namespace npu
