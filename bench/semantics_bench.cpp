// Host speed of the functional half of the instruction set, one thread: best of several repetitions, for every variant
// that this processor can run. A multiply-add counts as two operations; vector instructions count elements.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "isa/instructions/instruction_table.hpp"
#include "isa/numerics/host_variant.hpp"
#include "isa/numerics/numerics.hpp"
#include "isa/semantics/semantics.hpp"

namespace npu::isa {
namespace {

class Tile {
 public:
  Tile(std::uint32_t rows, std::uint32_t cols, DType dtype, Layout layout = Layout::ND) {
    const std::uint32_t length = is_column_major(layout) ? rows : cols;
    const std::uint32_t lines = is_column_major(layout) ? cols : rows;
    bytes_.resize(std::size_t{length} * lines * size_of(dtype) + 64);
    auto* data = bytes_.data() + (64 - reinterpret_cast<std::uintptr_t>(bytes_.data()) % 64) % 64;
    view_ = {data, length * size_of(dtype), rows, cols, dtype, layout};
    fill();
  }
  [[nodiscard]] const TileView& view() const { return view_; }

 private:
  void fill() {
    std::mt19937 random{1};
    std::uniform_real_distribution<float> uniform{0.25F, 2.0F};
    for (std::uint32_t i = 0; i < view_.lines(); ++i) {
      for (std::uint32_t j = 0; j < view_.line_length(); ++j) {
        const float x = uniform(random);
        if (view_.dtype == DType::F32) view_.line<float>(i)[j] = x;
        if (view_.dtype == DType::BF16) view_.line<Bf16>(i)[j] = to_bf16(x);
        if (view_.dtype == DType::F16) view_.line<Fp16>(i)[j] = to_fp16(x);
        if (view_.dtype == DType::I32) view_.line<std::int32_t>(i)[j] = static_cast<std::int32_t>(x * 100);
        if (view_.dtype == DType::I8) view_.line<std::int8_t>(i)[j] = static_cast<std::int8_t>(x * 60);
      }
    }
  }

  std::vector<std::byte> bytes_;
  TileView view_;
};

/// Seconds of one call, best of many batches that are shorter than a time slice of a busy host.
template <class F>
double seconds(F&& f) {
  using Clock = std::chrono::steady_clock;
  f();
  double best = std::numeric_limits<double>::max();
  for (int batch = 0; batch < 60; ++batch) {
    const auto begin = Clock::now();
    int calls = 0;
    double passed = 0;
    do {
      f();
      ++calls;
      passed = std::chrono::duration<double>(Clock::now() - begin).count();
    } while (passed < 0.001);
    best = std::min(best, passed / calls);
  }
  return best;
}

struct Shape {
  std::uint32_t m, n, k;
};

void bench_matmul() {
  constexpr Shape kShapes[] = {{128, 256, 256}, {128, 128, 512}, {64, 256, 256}, {32, 256, 256},
                               {16, 256, 256},  {16, 128, 128},  {1, 256, 256}};
  for (const DType type : {DType::BF16, DType::F16, DType::F32, DType::I8}) {
    for (const Layout layout : {Layout::ZN, Layout::ZNt}) {
      std::string line = fmt::format("  tmatmul {:4} {:3} ", name_of(type), name_of(layout));
      for (const auto& [m, n, k] : kShapes) {
        const Tile acc{m, n, type == DType::I8 ? DType::I32 : DType::F32}, left{m, k, type}, right{k, n, type, layout};
        Operands o;
        o.t = {acc.view(), left.view(), right.view()};
        const Instruction ins{.opcode = Opcode::TMatmul};
        const double t = seconds([&] { execute(ins, o); });
        line += fmt::format("  {}x{}x{} {:.1f}", m, n, k, 2e-9 * m * n * k / t);
      }
      fmt::print("{} Gop/s\n", line);
    }
  }
}

void bench_vector(const std::string& label, Instruction ins, const Operands& o, const TileView& counted) {
  const double t = seconds([&] { execute(ins, o); });
  fmt::print("  {:24} {:8.0f} M elements/s\n", label, 1e-6 * counted.rows * counted.cols / t);
}

void bench_vectors() {
  constexpr std::uint32_t kRows = 16, kCols = 512;
  const Tile dst{kRows, kCols, DType::F32}, a{kRows, kCols, DType::F32}, b{kRows, kCols, DType::F32};
  const Tile half{kRows, kCols, DType::F16}, brain{kRows, kCols, DType::BF16}, word{kRows, kCols, DType::I32};
  const Tile byte{kRows, kCols, DType::I8}, column{kRows, 1, DType::F32, Layout::DN}, row{1, kCols, DType::F32};
  const Tile pairs{kRows, 2 * kCols, DType::F32}, merged{kRows, 2 * kCols, DType::F32};
  const Tile turned{kCols, kRows, DType::F32};
  const auto run = [&](const std::string& label, Opcode op, const TileView& t0, const TileView& t1,
                       const TileView& t2 = {}, RoundMode mode = RoundMode::None, std::int32_t imm = 0) {
    Operands o;
    o.t = {t0, t1, t2};
    o.scalar = 0x3f000000;
    bench_vector(label, {.opcode = op, .mode = static_cast<std::uint8_t>(mode), .imm = imm}, o, t1);
  };
  run("tadd f32", Opcode::TAdd, dst.view(), a.view(), b.view());
  run("tadd f32 in place", Opcode::TAdd, dst.view(), dst.view(), b.view());
  run("tadd f16", Opcode::TAdd, half.view(), half.view(), half.view());
  run("tmuls f32", Opcode::TMulS, dst.view(), a.view());
  run("texp f32", Opcode::TExp, dst.view(), a.view());
  run("tlog f32", Opcode::TLog, dst.view(), a.view());
  run("tsqrt f32", Opcode::TSqrt, dst.view(), a.view());
  run("trsqrt f32", Opcode::TRsqrt, dst.view(), a.view());
  run("tcvt f32 to bf16", Opcode::TCvt, brain.view(), a.view(), {}, RoundMode::Rint);
  run("tcvt bf16 to f32", Opcode::TCvt, dst.view(), brain.view());
  run("tcvt f32 to f16", Opcode::TCvt, half.view(), a.view(), {}, RoundMode::Rint);
  run("tcvt f32 to i32 rint", Opcode::TCvt, word.view(), a.view(), {}, RoundMode::Rint);
  run("tcvt i32 to f16 round", Opcode::TCvt, half.view(), word.view(), {}, RoundMode::Round);
  run("tcvt f16 to i8 trunc", Opcode::TCvt, byte.view(), half.view(), {}, RoundMode::Trunc);
  run("trowsum f32", Opcode::TRowSum, column.view(), a.view());
  run("trowmax f32", Opcode::TRowMax, column.view(), a.view());
  run("tcolsum f32", Opcode::TColSum, row.view(), a.view());
  run("trowexpandmul f32", Opcode::TRowExpandMul, dst.view(), a.view(), column.view());
  run("tcolexpandmul f32", Opcode::TColExpandMul, dst.view(), a.view(), row.view());
  run("ttrans f32", Opcode::TTrans, turned.view(), a.view());
  run("tsort32", Opcode::TSort32, pairs.view(), a.view(), word.view());
  run("tmrgsort 32", Opcode::TMrgSort, merged.view(), pairs.view(), {}, RoundMode::None, 32);
}

}  // namespace
}  // namespace npu::isa

int main() {
  using namespace npu::isa;
  for (const HostVariant v : {HostVariant::Baseline, HostVariant::Avx2, HostVariant::Avx512}) {
    if (!host_supports(v)) continue;
    select_host_variant(v);
    fmt::print("{}\n", kHostVariantNames[index_of(v)]);
    bench_matmul();
    bench_vectors();
  }
}
