#include "kernels/reference/compressor.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "isa/errors.hpp"
#include "kernels/reference/matmul.hpp"
#include "kernels/reference/rows.hpp"

namespace npu::kernels::reference {
namespace {

using isa::Bf16;

/// One position of a window: its kv columns and their scores.
struct WindowRow {
  const float* kv;
  const float* score;
};

/// Rows of the window that ends at position `end`, oldest first.
std::vector<WindowRow> window_rows(const CompressorShape& shape, const PagedRows& pages, const float* state,
                                   std::size_t request, std::size_t end) {
  const std::size_t width = shape.width(), ratio = shape.ratio;
  std::vector<WindowRow> rows;
  const auto add = [&](std::size_t position, std::size_t column) {
    const float* row = state + pages.row(request, position) * 2 * width + column;
    rows.push_back({row, row + width});
  };
  if (shape.overlaps() && end + 1 >= 2 * ratio)
    for (std::size_t p = end + 1 - 2 * ratio; p <= end - ratio; ++p) add(p, 0);
  for (std::size_t p = end + 1 - ratio; p <= end; ++p) add(p, width - shape.row_width);
  return rows;
}

float pool_plain(const std::vector<WindowRow>& rows, std::size_t column, std::vector<float>& weights) {
  float largest = -std::numeric_limits<float>::infinity();
  for (const WindowRow& row : rows) largest = std::max(largest, row.score[column]);
  for (std::size_t i = 0; i < rows.size(); ++i) weights[i] = isa::exp_f32(rows[i].score[column] - largest);
  const float sum = sum_of(weights);
  double pooled = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) pooled += static_cast<double>(rows[i].kv[column] * (weights[i] / sum));
  return static_cast<float>(pooled);
}

float pool_running(const std::vector<WindowRow>& rows, std::size_t column) {
  float largest = -std::numeric_limits<float>::infinity(), sum = 0.0F, pooled = 0.0F;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const WindowRow& row = i == 0 ? rows.back() : rows[i - 1];
    const float score = row.score[column];
    if (score == -std::numeric_limits<float>::infinity()) continue;
    const float next = std::max(largest, score);
    const float keep = isa::exp_f32(largest - next), weight = isa::exp_f32(score - next);
    sum = keep * sum + weight;
    pooled = keep * pooled + weight * row.kv[column];
    largest = next;
  }
  return pooled / sum;
}

/// State rows of this step: kv and score + ape, written for every token whose slot is not -1.
void scatter_state(const LayerConfig& config, const CompressorShape& shape, const CompressorIn& in,
                   std::span<float> state, unsigned threads) {
  const std::size_t tokens = config.tokens(), hidden = config.hidden, width = shape.width();
  const std::vector<float> x = widen(in.x_normed);
  std::vector<float> kv(tokens * width), score(tokens * width);
  matmul({x.data(), tokens, hidden}, Matrix<const Bf16>{in.wkv.data(), hidden, width}, {kv.data(), tokens, width},
         threads);
  matmul({x.data(), tokens, hidden}, Matrix<const Bf16>{in.wgate.data(), hidden, width}, {score.data(), tokens, width},
         threads);
  for (std::size_t t = 0; t < tokens; ++t) {
    if (in.state_slots[t] < 0) continue;
    const std::size_t slot = checked_slot(in.state_slots[t], state.size() / (2 * width), "state_slot_mapping");
    const std::size_t phase = static_cast<std::size_t>(in.positions[t]) % shape.ratio;
    float* row = &state[slot * 2 * width];
    for (std::size_t i = 0; i < width; ++i) {
      row[i] = kv[t * width + i];
      row[width + i] = score[t * width + i] + in.ape[phase * width + i];
    }
  }
}

void check_operands(const LayerConfig& config, const CompressorShape& shape, const CompressorIn& in,
                    const CompressorOut& out) {
  const std::size_t tokens = config.tokens(), hidden = config.hidden, width = shape.width(), h = shape.row_width;
  NPU_ASSERT(in.x_normed.size() == tokens * hidden, "compressor input");
  NPU_ASSERT(in.wkv.size() == hidden * width && in.wgate.size() == hidden * width, "compressor weights");
  NPU_ASSERT(in.ape.size() == shape.ratio * width && in.norm_w.size() == h, "compressor ape and norm");
  NPU_ASSERT(in.hadamard.empty() || in.hadamard.size() == h * h, "compressor hadamard");
  NPU_ASSERT(in.cos.size() == std::size_t{config.batch} * config.rope_dim && in.sin.size() == in.cos.size(), "rope");
  NPU_ASSERT(in.positions.size() == tokens && in.state_slots.size() == tokens, "compressor positions");
  NPU_ASSERT(in.cache_slots.size() == tokens && out.row.size() == tokens * h, "compressor slots and output");
  NPU_ASSERT(out.state.size() % (2 * width) == 0 && out.cache.size() % h == 0, "compressor pools");
}

}  // namespace

void compressor(const LayerConfig& config, Numerics numerics, const CompressorShape& shape, const CompressorIn& in,
                const CompressorOut& out, unsigned threads) {
  check_operands(config, shape, in, out);
  const std::size_t seq = config.seq, h = shape.row_width, rope = config.rope_dim;
  scatter_state(config, shape, in, out.state, threads);
  std::fill(out.row.begin(), out.row.end(), 0.0F);
  const PagedRows pages{in.state_table, config.batch, shape.state_page, out.state.size() / (2 * shape.width()),
                        "compress_state_block_table"};
  const std::vector<float> hadamard = widen(in.hadamard);
  for (std::size_t b = 0; b < config.batch; ++b) {
    const std::size_t first = static_cast<std::size_t>(in.positions[b * seq]);
    const std::size_t completing = shape.ratio - 1 - first % shape.ratio;
    if (completing >= seq) continue;
    const std::vector<WindowRow> rows = window_rows(shape, pages, out.state.data(), b, first + completing);
    const std::span<float> y = out.row.subspan(b * seq * h, h);
    std::vector<float> weights(rows.size());
    const bool running = numerics == Numerics::Device && shape.overlaps();
    for (std::size_t i = 0; i < h; ++i) y[i] = running ? pool_running(rows, i) : pool_plain(rows, i, weights);
    const float factor = rms_factor(y, config.eps);
    for (std::size_t i = 0; i < h; ++i) y[i] = in.norm_w[i] * (y[i] * factor);
    rotate(y.subspan(h - rope), in.cos.subspan(b * rope, rope), in.sin.subspan(b * rope, rope));
    if (!hadamard.empty()) {
      std::vector<float> rounded(h);
      std::transform(y.begin(), y.end(), rounded.begin(), [](float v) { return isa::to_float(isa::to_bf16(v)); });
      matmul({rounded.data(), 1, h}, Matrix<const float>{hadamard.data(), h, h}, {y.data(), 1, h});
    }
    const std::int64_t target = in.cache_slots[b * seq + completing];
    if (target < 0) continue;
    narrow(y, out.cache.subspan(checked_slot(target, out.cache.size() / h, "cmp_slot_mapping") * h, h));
  }
}

}  // namespace npu::kernels::reference
