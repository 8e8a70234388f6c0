#include "kernels/norm/rms_norm.hpp"

#include "kernels/common/row_split.hpp"

namespace npu::kernels {

using namespace isa;

namespace {

constexpr std::uint32_t kMaxStep = 8;  // rows at a time

/// Scratch and weight of the norm; one set per part.
class RowNorm {
 public:
  RowNorm(PartBuilder& part, std::uint32_t rows, std::uint32_t cols, float eps)
      : part_{part},
        cols_{cols},
        eps_{eps},
        weight_{part.ub(DType::F32, 1, cols, "w")},
        square_{part.ub(DType::F32, rows, cols, "square")},
        mean_{part.column(DType::F32, rows, "mean_square")},
        factor_{part.column(DType::F32, rows, "rms_factor")} {}

  void load_weight(const GmTensor& w) {
    part_.tload(weight_, w.at(0, 0));  // (1, D) f32
    part_.sync(Pipe::MTE2, Pipe::V);
  }

  /// value (n, D) f32 becomes value * r * w.
  void apply(const Tile& value, const Reg& n) {
    const Tile square = square_.valid(n, cols_), mean = mean_.valid(n, 1), factor = factor_.valid(n, 1);
    part_.vec(Opcode::TMul, square, value, value);
    part_.vec(Opcode::TRowSum, mean, square);
    part_.vecs(Opcode::TMulS, mean, mean, 1.0F / static_cast<float>(cols_));
    part_.vecs(Opcode::TAddS, mean, mean, eps_);
    part_.vec(Opcode::TSqrt, mean, mean);
    part_.vec(Opcode::TRecip, factor, mean);
    part_.vec(Opcode::TRowExpandMul, value, value, factor);
    part_.vec(Opcode::TColExpandMul, value, value, weight_);
  }

  /// Free between two calls of apply.
  [[nodiscard]] const Tile& scratch() const { return square_; }

 private:
  PartBuilder& part_;
  std::uint32_t cols_;
  float eps_;
  Tile weight_, square_, mean_, factor_;
};

/// Rows that take `column_bytes` a column beside the weight.
RowSplit plan_rows(const LayerConfig& cfg, const ArchSpec& arch, std::uint32_t column_bytes) {
  constexpr std::uint32_t kColumns = 2048;  // per-row scalars and alignment
  return split_rows(cfg.tokens(), arch.vector_cores(), kMaxStep, column_bytes * cfg.hidden,
                    ub_beside(arch, 4 * cfg.hidden + kColumns));
}

//   MTE2   x rows 0 | x rows 1 | ...
//   V               square, sum, factor, * r * w 0 | ... 1 | ...
//   MTE3                                   y rows 0 | y rows 1
Kernel build_norm(const LayerConfig& cfg, const ArchSpec& arch, const RowSplit& split) {
  const std::uint32_t d = cfg.hidden;
  KernelBuilder k{"rms_norm", arch};
  const auto x = k.input("x", DType::BF16, d);
  const auto w = k.input("w", DType::F32, d);
  const auto y = k.output("y", DType::BF16, d);
  k.vector([&](PartBuilder& p) {
    const GmTensor x_gm = p.tensor(x), y_gm = p.tensor(y);
    RowNorm norm{p, split.step, d, cfg.eps};
    Ring& load = p.ring(2, Pipe::MTE2, Pipe::V, {{Space::UB, DType::BF16, split.step, d, Layout::ND, "x"}});
    const Tile wide = p.ub(DType::F32, split.step, d, "wide");
    Ring& store = p.ring(2, Pipe::V, Pipe::MTE3, {{Space::UB, DType::BF16, split.step, d, Layout::ND, "y"}});
    norm.load_weight(p.tensor(w));
    split.for_each_step(p, [&](const Reg& row, const Reg& n) {
      load.produce();
      p.tload(load[0].valid(n, d), x_gm.at(row, 0));  // (n, D) bf16
      load.push();
      load.consume();
      const Tile value = wide.valid(n, d);
      p.tcvt(value, load[0].valid(n, d), RoundMode::None);
      load.pop();
      norm.apply(value, n);
      store.produce();
      p.tcvt(store[0].valid(n, d), value, RoundMode::Rint);
      store.push();
      store.consume();
      p.tstore(y_gm.at(row, 0), store[0].valid(n, d));
      store.pop();
    });
  });
  return pack(k, split.blocks());
}

//   V   widen | norm | bf16 -> f32 | |x|, max, 1 / max * 127 | * s | i32 | f16 | i8
Kernel build_norm_quant(const LayerConfig& cfg, const ArchSpec& arch, const RowSplit& split) {
  const std::uint32_t d = cfg.hidden;
  KernelBuilder k{"norm_quant", arch};
  const auto x = k.input("x", DType::BF16, d);
  const auto w = k.input("w", DType::F32, d);
  const auto x_norm = k.output("x_norm", DType::BF16, d);
  const auto x_norm_f32 = k.output("x_norm_f32", DType::F32, d);
  const auto x_i8 = k.output("x_i8", DType::I8, d);
  const auto x_scale = k.output("x_scale", DType::F32, 1);
  k.vector([&](PartBuilder& p) {
    const GmTensor x_gm = p.tensor(x), norm_gm = p.tensor(x_norm), wide_gm = p.tensor(x_norm_f32);
    const GmTensor i8_gm = p.tensor(x_i8), scale_gm = p.tensor(x_scale);
    RowNorm norm{p, split.step, d, cfg.eps};
    Ring& load = p.ring(2, Pipe::MTE2, Pipe::V, {{Space::UB, DType::BF16, split.step, d, Layout::ND, "x"}});
    const Tile wide = p.ub(DType::F32, split.step, d, "wide");
    const Tile half = p.ub(DType::F16, split.step, d, "half");
    const Tile largest = p.column(DType::F32, split.step, "largest"), scale = p.column(DType::F32, split.step, "scale");
    Ring& store = p.ring(1, Pipe::V, Pipe::MTE3,
                         {{Space::UB, DType::BF16, split.step, d, Layout::ND, "x_norm"},
                          {Space::UB, DType::F32, split.step, d, Layout::ND, "x_norm_f32"},
                          {Space::UB, DType::I8, split.step, d, Layout::ND, "x_i8"},
                          {Space::UB, DType::F32, split.step, 1, Layout::DN, "x_scale"}});
    norm.load_weight(p.tensor(w));
    split.for_each_step(p, [&](const Reg& row, const Reg& n) {
      load.produce();
      p.tload(load[0].valid(n, d), x_gm.at(row, 0));  // (n, D) bf16
      load.push();
      load.consume();
      const Tile value = wide.valid(n, d), scratch = norm.scratch().valid(n, d);
      p.tcvt(value, load[0].valid(n, d), RoundMode::None);
      load.pop();
      norm.apply(value, n);
      store.produce();
      const Tile rounded = store[1].valid(n, d);
      p.tcvt(store[0].valid(n, d), value, RoundMode::Rint);
      p.tcvt(rounded, store[0].valid(n, d), RoundMode::None);
      const Tile top = largest.valid(n, 1), factor = scale.valid(n, 1);
      p.vec(Opcode::TAbs, scratch, rounded);
      p.vec(Opcode::TRowMax, top, scratch);
      p.vecs(Opcode::TMaxS, top, top, 1e-4F);
      p.vec(Opcode::TRecip, factor, top);
      p.vecs(Opcode::TMulS, factor, factor, 127.0);
      p.vec(Opcode::TRecip, store[3].valid(n, 1), factor);
      p.vec(Opcode::TRowExpandMul, scratch, rounded, factor);
      const Tile integer = wide.reshape(DType::I32, split.step, d, Layout::ND).valid(n, d);
      p.tcvt(integer, scratch, RoundMode::Rint);
      p.tcvt(half.valid(n, d), integer, RoundMode::Round);
      p.tcvt(store[2].valid(n, d), half.valid(n, d), RoundMode::Trunc);
      store.push();
      store.consume();
      p.tstore(norm_gm.at(row, 0), store[0].valid(n, d));
      p.tstore(wide_gm.at(row, 0), rounded);
      p.tstore(i8_gm.at(row, 0), store[2].valid(n, d));
      p.tstore(scale_gm.transposed_at(row, 0), store[3].valid(n, 1));
      store.pop();
    });
  });
  return pack(k, split.blocks());
}

}  // namespace

Kernel rms_norm(const LayerConfig& cfg, const ArchSpec& arch, const PlanChoice& choice) {
  return build_fitting("rms_norm", plan_rows(cfg, arch, 16), arch, choice,
                       [&](const RowSplit& split) { return build_norm(cfg, arch, split); });
}

Kernel norm_quant(const LayerConfig& cfg, const ArchSpec& arch, const PlanChoice& choice) {
  return build_fitting("norm_quant", plan_rows(cfg, arch, 21), arch, choice,
                       [&](const RowSplit& split) { return build_norm_quant(cfg, arch, split); });
}

}  // namespace npu::kernels
