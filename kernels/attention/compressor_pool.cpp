#include "kernels/attention/compressor_pool.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include "kernels/attention/rope_columns.hpp"
#include "kernels/attention/row_rms.hpp"
#include "kernels/common/rope.hpp"

namespace npu::kernels {

using namespace isa;

namespace {

constexpr std::uint32_t kLoadBudget = 64 * 1024;  // bytes of UB for state rows in flight
constexpr std::uint32_t kLoadSlots = 2;

/// State rows of a step: windows start at multiples of the ratio, so that these never straddle two pages.
std::uint32_t rows_per_step(const CompressorShape& shape) {
  const std::uint32_t together = std::gcd(shape.ratio, shape.state_page);
  const std::uint32_t row_bytes = kLoadSlots * 2 * size_of(DType::F32) * shape.row_width;  // kv and score
  std::uint32_t rows = std::clamp(kLoadBudget / row_bytes, 1U, together);
  while (together % rows != 0) --rows;
  return rows;
}

/// Column-wise softmax-weighted sum of the rows of a window, which arrive a few at a time.
class WindowSum {
 public:
  WindowSum(PartBuilder& part, std::uint32_t cols)
      : p_{part},
        shift_{part.ub(DType::F32, 1, cols, "minus_largest")},
        next_{part.ub(DType::F32, 1, cols, "next")},
        keep_{part.ub(DType::F32, 1, cols, "keep")},
        weight_{part.ub(DType::F32, 1, cols, "weight_sum")},
        pooled_{part.ub(DType::F32, 1, cols, "pooled")} {}

  void begin() {
    // Finite, so that columns without any written row yet shift by it and not to -inf + inf.
    p_.texpands(shift_, std::numeric_limits<float>::max());
    p_.texpands(weight_, 0.0);
    p_.texpands(pooled_, 0.0);
  }
  /// kv, score [rows, cols] f32 of further positions; both are overwritten.
  void add(const Tile& kv, const Tile& score) {
    p_.vec(Opcode::TColMax, next_, score);
    p_.vec(Opcode::TNeg, next_, next_);
    p_.vec(Opcode::TMin, next_, next_, shift_);
    p_.vec(Opcode::TSub, keep_, next_, shift_);
    p_.vec(Opcode::TExp, keep_, keep_);  // exp(largest so far - largest now)
    p_.vec(Opcode::TCopy, shift_, next_);
    p_.vec(Opcode::TColExpandAdd, score, score, shift_);
    p_.vec(Opcode::TExp, score, score);
    p_.vec(Opcode::TMul, kv, kv, score);
    accumulate(weight_, score);
    accumulate(pooled_, kv);
  }
  /// The weighted mean [1, cols]; valid until begin().
  [[nodiscard]] Tile finish() {
    p_.vec(Opcode::TDiv, pooled_, pooled_, weight_);
    return pooled_;
  }

 private:
  void accumulate(const Tile& sum, const Tile& terms) {
    p_.vec(Opcode::TColSum, next_, terms);
    p_.vec(Opcode::TMul, sum, sum, keep_);
    p_.vec(Opcode::TAdd, sum, sum, next_);
  }

  PartBuilder& p_;
  Tile shift_;            ///< minus the largest score so far
  Tile next_, keep_;      ///< scratch; what earlier sums are scaled by
  Tile weight_, pooled_;  ///< sums of exp(score - largest) and of that times kv
};

}  // namespace

// A request an iteration; the state rows of a window arrive a page (or a part of it) at a time.
//
//   MTE2   kv, score | kv, score | ... | angle
//   V                  softmax sums | ...      | mean, norm, rotate
//   MTE3                                                            row
Kernel compressor_pool(const std::string& name, const LayerConfig& cfg, const CompressorShape& shape,
                       const ArchSpec& arch, DType out) {
  const std::uint32_t seq = cfg.seq, ratio = shape.ratio, h = shape.row_width, o = shape.width();
  const std::uint32_t step = rows_per_step(shape);
  const std::uint32_t rope_column = first_rope_column(h, cfg.rope_dim, "head_dim or index_dim");
  const std::uint32_t blocks = std::min(cfg.batch, arch.vector_cores());

  KernelBuilder k{name, arch};
  const auto state = k.input("state", DType::F32, 2 * o);
  const auto state_table = k.input("state_table", DType::I32, shape.state_pages);
  const auto position_ids = k.input("position_ids", DType::I32, 1);
  const auto norm_w = k.input("norm_w", DType::F32, h);
  const auto freqs_cos = k.input("freqs_cos", DType::BF16, cfg.rope_dim);
  const auto freqs_sin = k.input("freqs_sin", DType::BF16, cfg.rope_dim);
  const auto row = k.output("row", out, h);
  k.vector([&](PartBuilder& p) {
    const GmTensor state_gm = p.tensor(state), table_gm = p.tensor(state_table), row_gm = p.tensor(row);
    const GmTensor position_gm = p.tensor(position_ids);
    Ring& load = p.ring(
        kLoadSlots, Pipe::MTE2, Pipe::V,
        {{Space::UB, DType::F32, step, h, Layout::ND, "kv"}, {Space::UB, DType::F32, step, h, Layout::ND, "score"}});
    Ring& store = p.ring(2, Pipe::V, Pipe::MTE3, {{Space::UB, out, 1, h, Layout::ND, "row"}});
    const Tile weight = p.ub(DType::F32, 1, h, "norm_w"), zeros = p.ub(out, seq, h, "zeros");
    WindowSum window{p, h};
    RowRms rms{p, 1, h, cfg.eps};
    Rope rope{p, {position_ids, freqs_cos, freqs_sin}, cfg.rope_dim, 1, RopeTurn::Forward};

    // State rows of `position` and the following; in overlapping windows the older one has the left half of the
    // columns.
    const auto load_rows = [&](const Reg& request, const Reg& position, const Reg& start) {
      const Reg page = p.load_gm(DType::I32, table_gm.address(request, position / shape.state_page));
      const Reg state_row = page * shape.state_page + position % shape.state_page;
      Reg column = p.imm(0);
      if (shape.overlaps()) p.if_(position >= start, [&] { column.set(h); });
      load.produce();
      p.tload(load[0], state_gm.at(state_row, column));      // (step, h) f32
      p.tload(load[1], state_gm.at(state_row, column + o));  // (step, h) f32
      load.push();
    };
    const auto compress = [&](const Reg& request, const Reg& position, const Reg& start) {
      const Reg first = shape.overlaps() ? max(start - ratio, 0) : p.copy(start);
      window.begin();
      p.for_range(first, start + ratio, step, [&](const Reg& from) {
        load_rows(request, from, start);
        load.consume();
        window.add(load[0], load[1]);
        load.pop();
      });
      const Tile y = window.finish();
      const Tile factor = rms.factor(y, 1);
      p.vec(Opcode::TRowExpandMul, y, y, factor);
      p.vec(Opcode::TMul, y, y, weight);
      rope.load_position(shape.angle == RowAngle::WindowStart ? start : position);
      rope.turn(y.view(0, rope_column, 1, cfg.rope_dim), 1);
      store.produce();
      if (out == DType::F32) {
        p.vec(Opcode::TCopy, store[0], y);
      } else {
        p.tcvt(store[0], y, RoundMode::Rint);
      }
      store.push();
      store.consume();
      p.tstore(row_gm.at(request * seq, 0), store[0]);
      store.pop();
    };

    p.tload(weight, p.tensor(norm_w).at(0, 0));
    p.sync(Pipe::MTE2, Pipe::V);
    p.texpands(zeros, 0.0);
    p.sync(Pipe::V, Pipe::MTE3);
    p.for_range(p.block_index(), cfg.batch, blocks, [&](const Reg& request) {
      const Reg token = request * seq;  // the first of the step
      const Reg position = p.load_gm(DType::I32, position_gm.address(token, 0));
      const Reg phase = position % ratio;
      p.if_else(
          phase >= ratio - seq, [&] { compress(request, position, position - phase); },
          [&] { p.tstore(row_gm.at(token, 0), zeros.valid(1, h)); });
      if (seq > 1) p.tstore(row_gm.at(token + 1, 0), zeros.valid(seq - 1, h));
    });
  });
  return pack(k, blocks);
}

}  // namespace npu::kernels
