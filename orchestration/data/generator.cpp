#include "orchestration/data/generator.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "isa/errors.hpp"
#include "orchestration/data/positions.hpp"
#include "orchestration/data/presets.hpp"
#include "orchestration/data/random.hpp"
#include "orchestration/data/random_tensors.hpp"
#include "orchestration/data/rope_tables.hpp"

namespace npu::orch {
namespace {

using kernels::AttentionKind;
using kernels::LayerConfig;

/// Makes the tensors of one case.
class Generator {
 public:
  Generator(const LayerConfig& config, const GenerateOptions& options)
      : config_{config},
        options_{options},
        kind_{attention_kind(config)},
        starts_{start_positions(config, options.start_pos, options.mix_of)} {}

  LayerCase run() {
    LayerCase layer;
    layer.config = config_;
    layer.kind = kind_;
    layer.provenance = {{"style", "upstream"}, {"seed", std::to_string(options_.seed)}, {"source", "npusim"}};
    const auto specs = layer_tensors();
    for (std::size_t i = 0; i < specs.size(); ++i) {
      const TensorSpec& spec = specs[i];
      const bool belongs = spec.of_layer() ? spec.used_by(kind_) : static_cast<bool>(options_.wanted);
      if (!spec.is_input() || !belongs || spec.init == Init::QuantScale) continue;
      const bool quantised = i + 1 < specs.size() && specs[i + 1].init == Init::QuantScale;
      const bool keep = wanted(spec.name);
      const bool keep_scale = quantised && wanted(specs[i + 1].name);
      if (!keep && !keep_scale) continue;
      std::vector<Tensor> ranks;
      std::vector<Tensor> scales;
      for (std::uint32_t r = 0; r < config_.ranks; ++r) {
        if (r > 0 && spec.replicated) {
          ranks.push_back(ranks.front());
          if (quantised) scales.push_back(scales.front());
          continue;
        }
        Tensor& tensor = ranks.emplace_back(make(spec));
        if (quantised) {
          fill_weight(spec, tensor, scales.emplace_back(make(specs[i + 1])), r);
        } else {
          fill(spec, tensor, r);
        }
      }
      if (keep) layer.inputs.emplace(spec.name, std::move(ranks));
      if (keep_scale) layer.inputs.emplace(specs[i + 1].name, std::move(scales));
    }
    return layer;
  }

 private:
  [[nodiscard]] bool wanted(std::string_view name) const { return !options_.wanted || options_.wanted(name); }
  [[nodiscard]] Tensor make(const TensorSpec& spec) const {
    return Tensor::zeros(std::string{spec.name}, spec.dtype, spec.shape(config_));
  }
  [[nodiscard]] double parameter(const TensorSpec& spec) const { return spec.parameter(config_); }
  [[nodiscard]] std::uint32_t ratio() const { return config_.compress_ratios[config_.layer_id]; }
  [[nodiscard]] std::uint32_t position(std::size_t token) const {
    return starts_[token / config_.seq] + static_cast<std::uint32_t>(token % config_.seq);
  }

  void fill_weight(const TensorSpec& spec, Tensor& weight, Tensor& scale, std::uint32_t rank) const {
    const RandomStream stream{options_.seed, spec.name, rank};
    fill_quantised(weight, scale, stream, parameter(spec),
                   spec.init == Init::QuantRows ? QuantAxis::Rows : QuantAxis::Columns,
                   spec.init == Init::QuantColumnsAway ? Ties::Away : Ties::Even, options_.threads);
  }

  void fill(const TensorSpec& spec, Tensor& tensor, std::uint32_t rank) const {
    const RandomStream stream{options_.seed, spec.name, rank};
    switch (spec.init) {
      case Init::Normal:
        return fill_normal(tensor, stream, parameter(spec), options_.threads);
      case Init::Constant:
        return fill_constant(tensor, static_cast<float>(parameter(spec)));
      case Init::UnitRmsRows:
        return fill_visible_rows(spec, tensor, stream);
      case Init::CompressorHistory:
        return fill_history(tensor, stream, static_cast<float>(parameter(spec)));
      case Init::RopeCos:
        tensor = rope().cos;
        return;
      case Init::RopeSin:
        tensor = rope().sin;
        return;
      case Init::Hadamard:
        return fill_hadamard(tensor);
      case Init::BlockTable:
        return fill_block_table(tensor, static_cast<std::uint64_t>(parameter(spec)));
      case Init::Positions:
      case Init::SequenceLengths:
      case Init::TokenToExpert:
        return fill_integers(spec, tensor.writable<std::int32_t>());
      case Init::RingSlots:
      case Init::StateSlots:
      case Init::CompressedSlots:
      case Init::TokenIds:
        return fill_integers(spec, tensor.writable<std::int64_t>());
      case Init::None:
      case Init::QuantRows:
      case Init::QuantColumns:
      case Init::QuantColumnsAway:
      case Init::QuantScale:
        break;
    }
    NPU_ASSERT(false, "an input has an initialiser of its own");
  }

  /// Of ratio 0, which the composed layer feeds to all kinds (S16.2), from the oldest window on that the step reaches.
  [[nodiscard]] RopeTables rope() const {
    constexpr std::uint32_t kLongestWindow = 128;
    return rope_tables(config_, 0, *std::min_element(starts_.begin(), starts_.end()) / kLongestWindow * kLongestWindow);
  }

  static void fill_constant(Tensor& tensor, float value) {
    if (value == 0.0F) return;
    if (tensor.dtype() == isa::DType::BF16) {
      std::ranges::fill(tensor.writable<isa::Bf16>(), finite_to_bf16(value));
    } else {
      std::ranges::fill(tensor.writable<float>(), value);
    }
  }

  /// Pages that hold the ring, or compressed entries that a token of the step sees or completes.
  void fill_visible_rows(const TensorSpec& spec, Tensor& tensor, const RandomStream& stream) const {
    const std::uint64_t pages = tensor.shape().front() / config_.batch;
    for (std::uint64_t b = 0; b < config_.batch; ++b) {
      std::uint64_t visible = config_.page;
      if (spec.trait == Trait::CompressedPages) visible = (std::uint64_t{starts_[b]} + config_.seq) / ratio();
      const std::uint64_t used =
          std::min(pages, std::max<std::uint64_t>(1, (visible + config_.page - 1) / config_.page));
      fill_unit_rms_rows(tensor, stream, b * pages * config_.page, used * config_.page);
    }
  }

  /// A row is (kv, score), half each. Row r of a request holds the last position before the start that is r mod the
  /// request's rows.
  void fill_history(Tensor& tensor, const RandomStream& stream, float gain) const {
    const std::uint64_t width = tensor.row_length();
    const std::uint64_t rows = tensor.row_count() / config_.batch;
    const auto out = tensor.writable<float>();
    const auto magnitudes = normal_magnitudes();
    std::vector<std::uint16_t> codes(width);
    for (std::uint64_t row = 0; row < tensor.row_count(); ++row) {
      const auto values = out.subspan(row * width, width);
      if (row % rows >= starts_[row / rows]) {
        std::ranges::fill(values.subspan(width / 2), -std::numeric_limits<float>::infinity());
        continue;
      }
      stream.fill(row * width, codes);
      for (std::size_t i = 0; i < width; ++i) {
        const float z = static_cast<float>(magnitudes[codes[i] % kMagnitudes]) * gain;
        values[i] = codes[i] >= kMagnitudes ? -z : z;
      }
    }
  }

  static void fill_hadamard(Tensor& tensor) {
    const std::uint64_t n = tensor.row_length();
    const float value = 1.0F / static_cast<float>(std::sqrt(static_cast<double>(n)));
    const auto out = tensor.writable<isa::Bf16>();
    for (std::uint64_t i = 0; i < out.size(); ++i) {
      const bool negative = std::popcount((i / n) & (i % n)) % 2 != 0;
      out[i] = finite_to_bf16(negative ? -value : value);
    }
  }

  template <class Integer>
  void fill_integers(const TensorSpec& spec, std::span<Integer> out) const {
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<Integer>(integer_at(spec, i));
  }

  /// A request's own pages follow each other; a table of more entries names them in turn again.
  static void fill_block_table(Tensor& table, std::uint64_t pages) {
    const auto out = table.writable<std::int32_t>();
    const std::uint64_t entries = table.row_length();
    for (std::uint64_t b = 0; b < table.row_count(); ++b) {
      for (std::uint64_t i = 0; i < entries; ++i)
        out[b * entries + i] = static_cast<std::int32_t>(b * pages + i % pages);
    }
  }

  /// Element i of an index tensor. By the block tables, a slot is a row of the request's own pages.
  [[nodiscard]] std::int64_t integer_at(const TensorSpec& spec, std::size_t i) const {
    const auto own_row = [&](std::uint32_t row) {
      const auto rows = static_cast<std::int64_t>(parameter(spec));
      return static_cast<std::int64_t>(i / config_.seq) * rows + row % rows;
    };
    switch (spec.init) {
      case Init::Positions:
        return position(i);
      case Init::SequenceLengths:
        return std::int64_t{starts_[i]} + config_.seq;
      case Init::TokenToExpert:
        return static_cast<std::int64_t>(i % config_.experts);
      case Init::TokenIds:
        return static_cast<std::int64_t>(i % config_.vocab);
      case Init::RingSlots:
        return own_row(position(i) % config_.window);
      case Init::StateSlots:
        return own_row(position(i));
      case Init::CompressedSlots:
        return (position(i) + 1) % ratio() == 0 ? own_row(position(i) / ratio()) : -1;
      case Init::None:
      case Init::Normal:
      case Init::Constant:
      case Init::UnitRmsRows:
      case Init::QuantRows:
      case Init::QuantColumns:
      case Init::QuantColumnsAway:
      case Init::QuantScale:
      case Init::CompressorHistory:
      case Init::RopeCos:
      case Init::RopeSin:
      case Init::Hadamard:
      case Init::BlockTable:
        break;
    }
    NPU_ASSERT(false, "the initialiser makes integers of elements");
    return 0;
  }

  const LayerConfig& config_;
  const GenerateOptions& options_;
  AttentionKind kind_;
  std::vector<std::uint32_t> starts_;
};

}  // namespace

LayerCase generate_case(const LayerConfig& config, const GenerateOptions& options) {
  validate(config, "generated inputs");
  return Generator{config, options}.run();
}

}  // namespace npu::orch
