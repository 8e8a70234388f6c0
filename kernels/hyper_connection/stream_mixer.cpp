#include "kernels/hyper_connection/stream_mixer.hpp"

#include <algorithm>

#include "kernels/common/row_split.hpp"

namespace npu::kernels {

using namespace isa;

namespace {

constexpr std::uint32_t kMaxTokens = 16;               // of a block: one fractal of cube rows
constexpr std::uint32_t kWidened = 0, kProjected = 1;  // cross-core flags

}  // namespace

StreamPlan plan_streams(std::string_view kernel, const LayerConfig& cfg, const ArchSpec& arch, std::uint32_t width) {
  constexpr std::uint32_t kBudget = 144 * 1024, kColumnBytes = 28;  // of UB for the chunks, and of a row's column
  const std::uint32_t tokens = cfg.tokens(), flat = cfg.hc_mult * cfg.hidden;
  const std::uint32_t group = std::min(static_cast<std::uint32_t>(ceil_div(tokens, arch.clusters)), kMaxTokens);
  const auto share = static_cast<std::uint32_t>(ceil_div(group, 2U));
  // One row tile, all columns; long k slabs, because the weight rows are the traffic.
  const MatmulShape projection{group, width, flat, DType::F32, WeightOrder::NK};
  MatmulTiling tiling = plan_matmul(kernel, arch, projection, 1);
  tiling.step_k = largest_slab(arch, projection, tiling, flat);
  return {.tokens = tokens,
          .group = group,
          .share = share,
          .blocks = static_cast<std::uint32_t>(ceil_div(tokens, group)),
          .width = width,
          .pitch = flat + static_cast<std::uint32_t>(round_up(width, 16)),
          .chunk = chunk_columns(flat, kColumnBytes * share, kBudget),
          .projection = projection,
          .tiling = tiling};
}

PlanFields StreamPlan::fields(const ArchSpec& arch) {
  PlanFields fields = tiling_fields(tiling, projection, arch, {.rows = false, .columns = false});
  fields.push_back({"chunk", "columns", "of the stack that a vector core handles at a time", &chunk,
                    std::min(kChunkGranule, projection.k), projection.k, kChunkGranule});
  return fields;
}

bool StreamPlan::shrink(const ArchSpec& arch, const CapacityError& error) {
  if (error.exceeds(Space::UB)) return halve(chunk, kChunkGranule);
  return cut_tiling(tiling, projection, arch, error, {.rows = false, .columns = false});
}

void sigmoid(PartBuilder& p, const Tile& dst, const Tile& z) {
  p.vec(Opcode::TNeg, z, z);
  p.vec(Opcode::TExp, z, z);
  p.vecs(Opcode::TAddS, z, z, 1.0);
  p.vec(Opcode::TRecip, dst, z);
}

StreamMixer::StreamMixer(PartBuilder& part, const LayerConfig& cfg, const StreamPlan& plan,
                         const StreamArguments& arguments)
    : p_{part},
      cfg_{cfg},
      plan_{plan},
      m_{cfg.hc_mult},
      d_{cfg.hidden},
      chunk_{plan.chunk},
      x_{part.tensor(arguments.x)},
      scale_{part.tensor(arguments.scale)},
      base_{part.tensor(arguments.base)},
      mixed_{part.tensor(arguments.mixed)},
      workspace_{part.tensor(arguments.workspace)},
      load_{part.ring(2, Pipe::MTE2, Pipe::V, {{Space::UB, DType::BF16, plan.share, chunk_, Layout::ND, "x"}})},
      widened_{part.ring(2, Pipe::V, Pipe::MTE3, {{Space::UB, DType::F32, plan.share, chunk_, Layout::ND, "widened"}})},
      narrowed_{part.ring(2, Pipe::V, Pipe::MTE3, {{Space::UB, DType::BF16, plan.share, chunk_, Layout::ND, "mixed"}})},
      sum_{part.ub(DType::F32, plan.share, chunk_, "sum")},
      pair_{part.ub(DType::F32, plan.share, chunk_, "pair")},
      term_{part.ub(DType::F32, plan.share, chunk_, "term")},
      rms_{part.column(DType::F32, plan.share, "rms_factor")},
      factors_{part.ub(DType::F32, m_, plan.share, "factors")} {}

void StreamMixer::widen(const Reg& row, const Reg& n) {
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
  const Tile rms = rms_.valid(n, 1);
  p_.vec(Opcode::TRowSum, rms, sum_.valid(n, chunk_));
  p_.vecs(Opcode::TMulS, rms, rms, 1.0F / static_cast<float>(flat));
  p_.vecs(Opcode::TAddS, rms, rms, cfg_.eps);
  p_.vec(Opcode::TRsqrt, rms, rms);
}

Tile StreamMixer::values(const Reg& row, const Reg& n, const std::vector<std::uint32_t>& part_rows) {
  const std::uint32_t width = plan_.width;
  const auto parts = static_cast<std::uint32_t>(part_rows.size());
  const Tile projected = p_.ub(DType::F32, plan_.share, width, "projected");
  const Tile value = p_.ub(DType::F32, width, plan_.share, "value");
  const Tile base = p_.column(DType::F32, width, "base");
  const Tile scales = p_.ub(DType::F32, 1, parts, "scale");
  p_.tload(projected.valid(n, width), workspace_.at(row, m_ * d_));  // (n, width) f32
  p_.tload(base, base_.transposed_at(0, 0));                         // (width, 1) f32
  p_.tload(scales, scale_.at(0, 0));                                 // (1, parts) f32
  p_.sync(Pipe::MTE2, Pipe::V);
  p_.sync(Pipe::MTE2, Pipe::S);
  p_.vec(Opcode::TRowExpandMul, projected.valid(n, width), projected.valid(n, width), rms_.valid(n, 1));
  p_.vec(Opcode::TTrans, value.valid(width, n), projected.valid(n, width));
  std::uint32_t first = 0;
  for (std::uint32_t i = 0; i < parts; ++i) {
    const Reg scale = p_.load_tile(scales, 0, i);
    const Tile part = value.view(first, 0, part_rows[i], plan_.share).valid(part_rows[i], n);
    p_.vecs(Opcode::TMulS, part, part, scale);
    first += part_rows[i];
  }
  p_.vec(Opcode::TRowExpandAdd, value.valid(width, n), value.valid(width, n), base);
  return value;
}

void StreamMixer::set_factors(const Tile& values, const Reg& n) {
  const Tile factors = factors_.valid(m_, n);
  sigmoid(p_, factors, values.view(0, 0, m_, plan_.share).valid(m_, n));
  p_.vecs(Opcode::TAddS, factors, factors, cfg_.hc_eps);
}

void StreamMixer::mix(const Reg& row, const Reg& n) {
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
      p_.vec(Opcode::TRowExpandMul, product, product, factors_.view(h, 0, 1, plan_.share).as_column().valid(n, 1));
      if (!opens_pair) p_.vec(Opcode::TAdd, h == 1 ? sum : pair, h == 1 ? sum : pair, term);
      if (h > 1 && (!opens_pair || h + 1 == m_)) p_.vec(Opcode::TAdd, sum, sum, pair);
    }
    narrowed_.produce();
    p_.tcvt(narrowed_[0].valid(n, cols), sum, RoundMode::Rint);
    narrowed_.push();
    narrowed_.consume();
    p_.tstore(mixed_.at(row, col), narrowed_[0].valid(n, cols));
    narrowed_.pop();
  });
}

void StreamMixer::load_chunk(const Reg& row, const Reg& n, const Reg& col, const Reg& cols) {
  load_.produce();
  p_.tload(load_[0].valid(n, cols), x_.at(row, col));  // (n, cols) bf16
  load_.push();
  load_.consume();
}

//   vector   x -> f32, sum of squares |                 | factors | mix
//   cube                              | f32 stack @ fn^T |
void emit_stream_mix(KernelBuilder& kernel, const LayerConfig& cfg, const StreamPlan& plan,
                     const StreamArguments& arguments,
                     const std::function<void(PartBuilder&, StreamMixer&, const Reg&, const Reg&)>& factors) {
  const std::uint32_t flat = cfg.hc_mult * cfg.hidden;

  kernel.cube([&](PartBuilder& p) {
    const GmTensor stack = p.tensor(arguments.workspace), fn = p.tensor(arguments.fn);
    CubeMatmul product{p, plan.projection, plan.tiling};
    const Reg row = p.block_index() * plan.group;
    const Reg rows = min(p.imm(plan.tokens) - row, plan.group);
    p.wait_cross(kWidened);
    product.tile(stack, row, 0, rows, fn, 0, plan.width, [&](const Tile& acc) { p.tstore(stack.at(row, flat), acc); });
    p.set_cross(Pipe::FIX, kProjected);
  });

  kernel.vector([&](PartBuilder& p) {
    StreamMixer mixer{p, cfg, plan, arguments};
    const Reg first = p.block_index() * plan.group;
    const Reg offset = p.special(SpecialReg::SubBlock) * plan.share;
    const Reg row = first + offset;
    const Reg group_end = min(first + plan.group, plan.tokens);
    const Reg n = min(group_end - row, plan.share);
    p.if_(n > 0, [&] { mixer.widen(row, n); });
    p.set_cross(Pipe::MTE3, kWidened);
    p.wait_cross(kProjected);
    p.if_(n > 0, [&] {
      factors(p, mixer, row, n);
      mixer.mix(row, n);
    });
  });
}

}  // namespace npu::kernels
