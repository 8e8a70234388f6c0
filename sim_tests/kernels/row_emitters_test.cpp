// The emitters that kernels share, in the smallest kernels that contain them, bit by bit.
#include <catch2/catch.hpp>

#include "isa/errors.hpp"
#include "isa/verifier.hpp"
#include "kernels/attention/q_heads.hpp"
#include "kernels/attention/q_latent.hpp"
#include "kernels/common/quantise.hpp"
#include "kernels/common/rope.hpp"
#include "kernels/reference/rows.hpp"
#include "sim_tests/kernels/attention_values.hpp"
#include "sim_tests/support/kernel_bench.hpp"

namespace npu {
namespace {

using isa::Bf16;
using isa::DType;
using isa::GmTensor;
using isa::PartBuilder;
using isa::Pipe;
using isa::Reg;
using isa::Tile;
using kernels::reference::Turn;
using test::RandomValues;

/// x [tokens * rows, width] f32 with the last `dim` columns turned, in place in global memory.
kernels::Kernel turn_kernel(std::uint32_t tokens, std::uint32_t rows, std::uint32_t width, std::uint32_t dim,
                            kernels::RopeTurn turn) {
  isa::KernelBuilder k{"turn", isa::a2a3_arch_spec()};
  const auto x = k.inout("x", DType::F32, width);
  const auto position_ids = k.input("position_ids", DType::I32, 1);
  const auto freqs_cos = k.input("freqs_cos", DType::BF16, dim);
  const auto freqs_sin = k.input("freqs_sin", DType::BF16, dim);
  k.vector([&](PartBuilder& p) {
    const GmTensor x_gm = p.tensor(x);
    const Tile tile = p.ub(DType::F32, rows, width, "x");
    kernels::Rope rope{p, {position_ids, freqs_cos, freqs_sin}, dim, rows, turn};
    p.for_range(0, tokens, 1, [&](const Reg& token) {
      const Reg row = token * rows;
      p.sync(Pipe::MTE3, Pipe::MTE2);
      p.tload(tile, x_gm.at(row, 0));
      p.sync(Pipe::MTE2, Pipe::V);
      rope.load(token);
      rope.turn(tile.view(0, width - dim, rows, dim), rows);
      p.sync(Pipe::V, Pipe::MTE3);
      p.tstore(x_gm.at(row, 0), tile);
    });
  });
  return kernels::pack(k, 1);
}

void check_turn(kernels::RopeTurn turn, Turn reference_turn) {
  constexpr std::uint32_t kTokens = 5, kRows = 3, kWidth = 40, kDim = 24, kPositions = 9;
  RandomValues random{31};
  const auto x = random.floats(kTokens * kRows * kWidth);
  const auto positions = random.integers<std::int32_t>(kTokens, 0, kPositions - 1);
  const auto cos = random.bf16s(kPositions * kDim), sin = random.bf16s(kPositions * kDim);
  std::vector<float> expected = x;
  for (std::size_t r = 0; r < kTokens * kRows; ++r) {
    const std::size_t angle = static_cast<std::size_t>(positions[r / kRows]) * kDim;
    kernels::reference::rotate({&expected[r * kWidth + kWidth - kDim], kDim}, {&cos[angle], kDim}, {&sin[angle], kDim},
                               reference_turn);
  }
  test::KernelBench bench;
  bench.bind("x", x);
  bench.bind("position_ids", positions);
  bench.bind("freqs_cos", cos);
  bench.bind("freqs_sin", sin);
  bench.run(turn_kernel(kTokens, kRows, kWidth, kDim, turn));
  CHECK(bench.read<float>("x") == expected);
}

TEST_CASE("a forward turn has the reference's bits", "[emitters]") {
  check_turn(kernels::RopeTurn::Forward, Turn::Forward);
}
TEST_CASE("an inverse turn has the reference's bits", "[emitters]") {
  check_turn(kernels::RopeTurn::Inverse, Turn::Inverse);
}

/// kRows rows of two pieces, of buffers that hold max_rows.
void check_quantiser(std::uint32_t max_rows) {
  constexpr std::uint32_t kRows = 7, kWidth = 56, kSplit = 40;
  RandomValues random{32};
  auto x = random.floats(kRows * kWidth, 0, 3);
  for (std::size_t i = 0; i < kWidth; ++i) x[i] *= 1e-6F;  // below the clamp
  std::vector<std::int8_t> expected(x.size());
  std::vector<float> expected_scale(kRows);
  for (std::size_t r = 0; r < kRows; ++r)
    expected_scale[r] = kernels::reference::quantise({&x[r * kWidth], kWidth}, {&expected[r * kWidth], kWidth});

  isa::KernelBuilder k{"quantise", isa::a2a3_arch_spec()};
  const auto in = k.input("x", DType::F32, kWidth);
  const auto out = k.output("out", DType::I8, kWidth);
  const auto scale = k.output("scale", DType::F32, 1);
  k.vector([&](PartBuilder& p) {
    const GmTensor x_gm = p.tensor(in), out_gm = p.tensor(out);
    const Tile left = p.ub(DType::F32, kRows, kSplit, "left"),
               right = p.ub(DType::F32, kRows, kWidth - kSplit, "right");
    const Tile left_i8 = p.ub(DType::I8, kRows, kSplit, "left_i8");
    const Tile right_i8 = p.ub(DType::I8, kRows, kWidth - kSplit, "right_i8");
    const Tile scales = p.column(DType::F32, kRows, "scales");
    kernels::RowQuantiser quantiser{p, max_rows, kSplit};
    p.tload(left, x_gm.at(0, 0));
    p.tload(right, x_gm.at(0, kSplit));
    p.sync(Pipe::MTE2, Pipe::V);
    quantiser.begin(kRows);
    quantiser.scan(left, kRows, kSplit);
    quantiser.scan(right, kRows, kWidth - kSplit);
    quantiser.finish(scales, kRows);
    quantiser.quantise(left_i8, left, kRows, kSplit);
    quantiser.quantise(right_i8, right, kRows, kWidth - kSplit);
    p.sync(Pipe::V, Pipe::MTE3);
    p.tstore(out_gm.at(0, 0), left_i8);
    p.tstore(out_gm.at(0, kSplit), right_i8);
    p.tstore(p.tensor(scale).transposed_at(0, 0), scales);
  });
  test::KernelBench bench;
  bench.bind("x", x);
  bench.bind("out", std::vector<std::int8_t>(x.size()));
  bench.bind("scale", std::vector<float>(kRows));
  bench.run(kernels::pack(k, 1));
  CHECK(bench.read<std::int8_t>("out") == expected);
  CHECK(bench.read<float>("scale") == expected_scale);
}

TEST_CASE("rows are quantised with the reference's bits, several at a time and in two pieces", "[emitters]") {
  check_quantiser(7);
}
TEST_CASE("rows are quantised with the reference's bits where their maxima are those of transposed columns",
          "[emitters]") {
  check_quantiser(40);
}

TEST_CASE("steps of heads and of latent rows fit the unified buffer at any width", "[emitters]") {
  const isa::ArchSpec arch = isa::a2a3_arch_spec();
  kernels::LayerConfig c = test::tiny_attention(131, 3);
  for (const std::uint32_t dim : {16U, 24U, 40U, 136U, 520U, 1032U, 2056U}) {
    for (const std::uint32_t rope : {8U, 16U, dim}) {
      for (const std::uint32_t heads : {1U, 3U, 61U, 128U}) {
        c.head_dim = dim, c.rope_dim = rope, c.heads = heads;
        CAPTURE(dim, rope, heads);
        CHECK_NOTHROW(isa::require_legal(kernels::q_heads(c, arch).object, arch));
      }
    }
  }
  for (const std::uint32_t latent : {16U, 33U, 100U, 768U, 1536U, 2047U, 4096U, 5600U}) {
    c.q_lora = latent;
    CAPTURE(latent);
    CHECK_NOTHROW(isa::require_legal(kernels::q_latent(c, arch).object, arch));
  }
  c.q_lora = 12000;
  CHECK_THROWS_AS(kernels::q_latent(c, arch), ProgramError);
}

}  // namespace
}  // namespace npu
