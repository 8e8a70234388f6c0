#include "kernels/hyper_connection/hc_pre.hpp"

#include <algorithm>
#include <array>

#include "kernels/common/cube_matmul.hpp"
#include "kernels/common/row_split.hpp"
#include "kernels/hyper_connection/sinkhorn.hpp"

namespace npu::kernels {

using namespace isa;

namespace {

constexpr std::uint32_t kMaxTokens = 16;               // of a block: one fractal of cube rows
constexpr std::uint32_t kWidened = 0, kProjected = 1;  // cross-core flags

/// One row tile of at most 16 tokens, all X columns; long k slabs, because the weight rows are the traffic.
MatmulTiling plan_projection(const ArchSpec& arch, const MatmulShape& shape) {
  MatmulTiling t = plan_matmul(arch, shape, 1);
  const auto slab_bytes = (t.base_m + t.base_n) * t.base_k * size_of(shape.dtype) * t.l1_slots;
  const auto fitting = static_cast<std::uint32_t>(arch.buffer(Space::L1).capacity.count()) / slab_bytes;
  const std::uint32_t steps = shape.k / t.base_k;
  t.step_k = std::min(steps, fitting);
  while (steps % t.step_k != 0) --t.step_k;
  return t;
}

/// dst = 1 / (1 + exp(-z)); z is overwritten.
void sigmoid(PartBuilder& p, const Tile& dst, const Tile& z) {
  p.vec(Opcode::TNeg, z, z);
  p.vec(Opcode::TExp, z, z);
  p.vecs(Opcode::TAddS, z, z, 1.0);
  p.vec(Opcode::TRecip, dst, z);
}

/// The vector half: tokens [row, row + n) of the block's row group.
class Mixer {
 public:
  struct Arguments {
    TensorArgument x, scale, base, x_mixed, post, comb, workspace;
  };

  Mixer(PartBuilder& part, const LayerConfig& cfg, const Arguments& arguments, std::uint32_t tokens)
      : p_{part},
        cfg_{cfg},
        m_{cfg.hc_mult},
        d_{cfg.hidden},
        chunk_{chunk_columns(m_ * d_, 28 * tokens, 144 * 1024)},
        tokens_{tokens},
        x_{part.tensor(arguments.x)},
        scale_{part.tensor(arguments.scale)},
        base_{part.tensor(arguments.base)},
        x_mixed_{part.tensor(arguments.x_mixed)},
        post_{part.tensor(arguments.post)},
        comb_{part.tensor(arguments.comb)},
        workspace_{part.tensor(arguments.workspace)},
        load_{part.ring(2, Pipe::MTE2, Pipe::V, {{Space::UB, DType::BF16, tokens, chunk_, Layout::ND, "x"}})},
        widened_{part.ring(2, Pipe::V, Pipe::MTE3, {{Space::UB, DType::F32, tokens, chunk_, Layout::ND, "widened"}})},
        mixed_{part.ring(2, Pipe::V, Pipe::MTE3, {{Space::UB, DType::BF16, tokens, chunk_, Layout::ND, "x_mixed"}})},
        sum_{part.ub(DType::F32, tokens, chunk_, "sum")},
        pair_{part.ub(DType::F32, tokens, chunk_, "pair")},
        term_{part.ub(DType::F32, tokens, chunk_, "term")},
        factor_{part.column(DType::F32, tokens, "rms_factor")},
        pre_{part.ub(DType::F32, m_, tokens, "pre")} {}

  /// Stack rows to f32 in the workspace for the cube; the sum of squares on the way.
  void widen(const Reg& row, const Reg& n) {
    p_.texpands(sum_.valid(n, chunk_), 0.0);
    const std::uint32_t flat = m_ * d_;
    p_.for_range(0, flat, chunk_, [&](const Reg& col) {
      const Reg cols = min(p_.imm(flat) - col, chunk_);
      load_chunk(row, n, col, cols);
      widened_.produce();
      const Tile wide = widened_[0].valid(n, cols), square = term_.valid(n, cols), sum = sum_.valid(n, cols);
      p_.tcvt(wide, load_[0].valid(n, cols), RoundMode::None);
      load_.pop();
      p_.vec(Opcode::TMul, square, wide, wide);
      p_.vec(Opcode::TAdd, sum, sum, square);
      widened_.push();
      widened_.consume();
      p_.tstore(workspace_.at(row, col), wide);
      widened_.pop();
    });
    const Tile factor = factor_.valid(n, 1);
    p_.vec(Opcode::TRowSum, factor, sum_.valid(n, chunk_));
    p_.vecs(Opcode::TMulS, factor, factor, 1.0F / static_cast<float>(flat));
    p_.vecs(Opcode::TAddS, factor, factor, cfg_.eps);
    p_.vec(Opcode::TRsqrt, factor, factor);
  }

  /// The factors pre, post, comb from the projection that the cube has left in the workspace.
  void factors(const Reg& row, const Reg& n) {
    const std::uint32_t width = cfg_.mix_width();
    const Tile projected = p_.ub(DType::F32, tokens_, width, "projected");
    const Tile value = p_.ub(DType::F32, width, tokens_, "value");  // row: column of the projection
    const Tile base = p_.column(DType::F32, width, "base");
    const Tile scales = p_.ub(DType::F32, 1, 3, "scale");
    const Tile sigmoids = p_.ub(DType::F32, m_, tokens_, "post_transposed");
    const Tile post = p_.ub(DType::F32, tokens_, m_, "post");
    const Tile comb = p_.ub(DType::F32, tokens_, m_ * m_, "comb");
    p_.tload(projected.valid(n, width), workspace_.at(row, m_ * d_));  // (n, X) f32
    p_.tload(base, base_.transposed_at(0, 0));                         // (X, 1) f32
    p_.tload(scales, scale_.at(0, 0));                                 // (1, 3) f32
    p_.sync(Pipe::MTE2, Pipe::V);
    p_.sync(Pipe::MTE2, Pipe::S);
    p_.vec(Opcode::TRowExpandMul, projected.valid(n, width), projected.valid(n, width), factor_.valid(n, 1));
    p_.vec(Opcode::TTrans, value.valid(width, n), projected.valid(n, width));
    const auto part = [&](std::uint32_t first, std::uint32_t rows) {
      return value.view(first, 0, rows, tokens_).valid(rows, n);
    };
    const std::array<Tile, 3> parts{part(0, m_), part(m_, m_), part(2 * m_, m_ * m_)};
    for (std::uint32_t i = 0; i < 3; ++i) {
      const Reg scale = p_.load_tile(scales, 0, i);
      p_.vecs(Opcode::TMulS, parts[i], parts[i], scale);
    }
    p_.vec(Opcode::TRowExpandAdd, value.valid(width, n), value.valid(width, n), base);
    const Tile pre = pre_.valid(m_, n), post_t = sigmoids.valid(m_, n);
    sigmoid(p_, pre, parts[0]);
    p_.vecs(Opcode::TAddS, pre, pre, cfg_.hc_eps);
    sigmoid(p_, post_t, parts[1]);
    p_.vecs(Opcode::TMulS, post_t, post_t, 2.0);
    p_.vec(Opcode::TTrans, post.valid(n, m_), post_t);
    const Tile square = value.view(2 * m_, 0, m_ * m_, tokens_);
    Sinkhorn{p_, m_, tokens_}.run(square, n, cfg_.sinkhorn_iters, cfg_.hc_eps);
    p_.vec(Opcode::TTrans, comb.valid(n, m_ * m_), square.valid(m_ * m_, n));
    p_.sync(Pipe::V, Pipe::MTE3);
    p_.tstore(post_.at(row, 0), post.valid(n, m_));
    p_.tstore(comb_.at(row, 0), comb.valid(n, m_ * m_));
  }

  /// x_mixed = sum over the stack of x * pre, in pairs.
  void mix(const Reg& row, const Reg& n) {
    p_.for_range(0, d_, chunk_, [&](const Reg& col) {
      const Reg cols = min(p_.imm(d_) - col, chunk_);
      const Tile sum = sum_.valid(n, cols), pair = pair_.valid(n, cols), term = term_.valid(n, cols);
      for (std::uint32_t h = 0; h < m_; ++h) {
        const bool opens_pair = h % 2 == 0;
        const Tile& product = opens_pair ? (h == 0 ? sum : pair) : term;
        const Reg from = col + h * d_;
        load_chunk(row, n, from, cols);
        p_.tcvt(product, load_[0].valid(n, cols), RoundMode::None);
        load_.pop();
        p_.vec(Opcode::TRowExpandMul, product, product, pre_.view(h, 0, 1, tokens_).as_column().valid(n, 1));
        if (!opens_pair) p_.vec(Opcode::TAdd, h == 1 ? sum : pair, h == 1 ? sum : pair, term);
        if (h > 1 && (!opens_pair || h + 1 == m_)) p_.vec(Opcode::TAdd, sum, sum, pair);
      }
      mixed_.produce();
      p_.tcvt(mixed_[0].valid(n, cols), sum, RoundMode::Rint);
      mixed_.push();
      mixed_.consume();
      p_.tstore(x_mixed_.at(row, col), mixed_[0].valid(n, cols));
      mixed_.pop();
    });
  }

 private:
  void load_chunk(const Reg& row, const Reg& n, const Reg& col, const Reg& cols) {
    load_.produce();
    p_.tload(load_[0].valid(n, cols), x_.at(row, col));  // (n, cols) bf16
    load_.push();
    load_.consume();
  }

  PartBuilder& p_;
  const LayerConfig& cfg_;
  std::uint32_t m_, d_, chunk_, tokens_;
  GmTensor x_, scale_, base_, x_mixed_, post_, comb_, workspace_;
  Ring &load_, &widened_, &mixed_;
  Tile sum_, pair_, term_, factor_, pre_;
};

}  // namespace

//   vector   x -> f32, sum of squares |                 | factors, Sinkhorn | x_mixed
//   cube                              | f32 stack @ fn^T |
// The two vector cores of a cluster share the tokens of the row group; a workspace row holds a token's widened stack
// and behind it the X columns of its projection.
Kernel hc_pre(const LayerConfig& cfg, const ArchSpec& arch) {
  const std::uint32_t tokens = cfg.tokens(), flat = cfg.hc_mult * cfg.hidden, width = cfg.mix_width();
  const auto spread = static_cast<std::uint32_t>(ceil_div(tokens, arch.clusters));
  const std::uint32_t group = std::min(spread, kMaxTokens);            // tokens of a block
  const auto share = static_cast<std::uint32_t>(ceil_div(group, 2U));  // of them, tokens of one vector core
  const auto blocks = static_cast<std::uint32_t>(ceil_div(tokens, group));
  const MatmulShape shape{group, width, flat, DType::F32, WeightOrder::NK};
  const std::uint32_t pitch = flat + static_cast<std::uint32_t>(round_up(width, 16));

  KernelBuilder k{"hc_pre", arch};
  const auto x = k.input("x", DType::BF16, flat);
  const auto fn = k.input("fn", DType::F32, flat);
  const auto scale = k.input("scale", DType::F32, 3);
  const auto base = k.input("base", DType::F32, width);
  const auto x_mixed = k.output("x_mixed", DType::BF16, cfg.hidden);
  const auto post = k.output("post", DType::F32, cfg.hc_mult);
  const auto comb = k.output("comb", DType::F32, cfg.hc_mult * cfg.hc_mult);
  const auto workspace = k.inout("workspace", DType::F32, pitch);

  k.cube([&](PartBuilder& p) {
    const GmTensor stack = p.tensor(workspace), fn_gm = p.tensor(fn);
    CubeMatmul product{p, shape, plan_projection(arch, shape)};
    const Reg row = p.block_index() * group;
    const Reg rows = min(p.imm(tokens) - row, group);
    p.wait_cross(kWidened);
    product.tile(stack, row, 0, rows, fn_gm, 0, width, [&](const Tile& acc) { p.tstore(stack.at(row, flat), acc); });
    p.set_cross(Pipe::FIX, kProjected);
  });

  k.vector([&](PartBuilder& p) {
    Mixer mixer{p, cfg, {x, scale, base, x_mixed, post, comb, workspace}, share};
    const Reg first = p.block_index() * group;
    const Reg offset = p.special(SpecialReg::SubBlock) * share;
    const Reg row = first + offset;
    const Reg group_end = min(first + group, tokens);
    const Reg n = min(group_end - row, share);
    p.if_(n > 0, [&] { mixer.widen(row, n); });
    p.set_cross(Pipe::MTE3, kWidened);
    p.wait_cross(kProjected);
    p.if_(n > 0, [&] {
      mixer.factors(row, n);
      mixer.mix(row, n);
    });
  });
  return pack(k, blocks, std::uint64_t{tokens} * pitch * sizeof(float));
}

}  // namespace npu::kernels
