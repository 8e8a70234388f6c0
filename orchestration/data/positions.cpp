#include "orchestration/data/positions.hpp"

#include <algorithm>
#include <string_view>

#include "isa/errors.hpp"
#include "isa/units.hpp"
#include "kernels/common/compressor_shape.hpp"
#include "orchestration/data/presets.hpp"
#include "orchestration/data/rope_tables.hpp"

namespace npu::orch {
namespace {

using kernels::AttentionKind;
using kernels::LayerConfig;

/// S10's start positions straddle every boundary of their kind: short and full window, ring wrap, a compression window
/// completed by the second and by the first token, with and without a window before it.
std::vector<std::uint32_t> start_mix(const LayerConfig& c, AttentionKind kind) {
  switch (kind) {
    case AttentionKind::Swa:
      return {9, 31, 62, c.window - 1};
    case AttentionKind::Hca:
      return {10, 128 - c.seq, 127, 128, 256 - c.seq, 383};
    case AttentionKind::Csa:
      break;
  }
  return {10, 4 - c.seq, 3, 4, 8 - c.seq, 11, c.window - c.seq, c.window - 1, c.window};
}

std::vector<std::uint32_t> starts_of(const LayerConfig& c, std::optional<std::uint32_t> start_pos, AttentionKind kind) {
  const auto mix = start_pos ? std::vector{*start_pos} : start_mix(c, kind);
  std::vector<std::uint32_t> starts(c.batch);
  for (std::size_t b = 0; b < starts.size(); ++b) starts[b] = mix[b % mix.size()];
  return starts;
}

std::uint64_t last_position(const LayerConfig& c, const std::vector<std::uint32_t>& starts) {
  return std::uint64_t{*std::max_element(starts.begin(), starts.end())} + c.seq - 1;
}

/// A field that limits the positions of a layer.
struct Limit {
  std::uint32_t LayerConfig::*field;
  std::string_view name, what;
  std::uint64_t positions;                     ///< per unit of the field
  std::uint32_t step = 1;                      ///< the field is a multiple of it
  std::uint32_t LayerConfig::*pool = nullptr;  ///< pages of a state, which do not grow with its table
  std::string_view pool_name = {};
};

std::vector<Limit> limits_of(const LayerConfig& c, AttentionKind kind) {
  constexpr std::uint32_t kLargestRatio = 128;
  std::vector<Limit> limits{{&LayerConfig::max_positions, "max_positions", "the rope table", 1, kLargestRatio}};
  if (kind == AttentionKind::Swa) return limits;
  const std::uint64_t ratio = kernels::main_compressor(c, kind).ratio;
  limits.push_back({&LayerConfig::cmp_max_blocks, "cmp_max_blocks", "the compressed cache", ratio * c.page});
  if (kind == AttentionKind::Hca) {
    limits.push_back({&LayerConfig::c128_max_blocks, "c128_max_blocks", "the compressor state", c.c128_page, 1,
                      &LayerConfig::c128_pool_blocks, "c128_pool_blocks"});
  } else {
    limits.push_back({&LayerConfig::c4_max_blocks, "c4_max_blocks", "the compressor state", c.c4_page, 1,
                      &LayerConfig::c4_pool_blocks, "c4_pool_blocks"});
    limits.push_back({&LayerConfig::idx_max_blocks, "idx_max_blocks", "the indexer's cache", ratio * c.page});
  }
  return limits;
}

/// Every position of the step lies inside the rope table and the tables of the kind.
void require_reach(const LayerConfig& c, AttentionKind kind, std::uint64_t last) {
  for (const Limit& limit : limits_of(c, kind)) {
    const std::uint64_t reach = c.*limit.field * limit.positions;
    if (last < reach) continue;
    throw config_error(
        "position {} (start position plus seq {} - 1) of layer {} needs more than the {} positions of {}; lower "
        "--start-pos, or raise {} ({}) in the preset file or leave it out there",
        last, c.seq, c.layer_id, reach, limit.what, limit.name, c.*limit.field);
  }
}

/// Pages of a request's state where its table has grown; 0 where all of them live.
std::uint32_t pool_blocks(const LayerConfig& c, AttentionKind kind) {
  const kernels::CompressorShape shape = kernels::main_compressor(c, kind);
  const std::uint32_t live = shape.live_pages(c.seq);
  return live < shape.state_pages ? live : 0;
}

void lengthen(LayerConfig& c, AttentionKind kind, std::uint64_t last, const GivenFields& given) {
  for (const Limit& limit : limits_of(c, kind)) {
    if (last < c.*limit.field * limit.positions || given.contains(limit.name)) continue;
    c.*limit.field = static_cast<std::uint32_t>(isa::round_up(last / limit.positions + 1, limit.step));
    if (limit.pool != nullptr && !given.contains(limit.pool_name)) c.*limit.pool = pool_blocks(c, kind);
  }
}

}  // namespace

AttentionKind mix_of(const LayerConfig& config, LayerRange layers) {
  AttentionKind mix = AttentionKind::Swa;
  for (std::uint32_t id = layers.first; id <= layers.last; ++id) {
    mix = std::max(mix, attention_kind(with_layer(config, id)));
  }
  return mix;
}

std::vector<std::uint32_t> start_positions(const LayerConfig& config, std::optional<std::uint32_t> start_pos,
                                           std::optional<AttentionKind> mix_of) {
  const AttentionKind kind = attention_kind(config);
  const auto starts = starts_of(config, start_pos, mix_of.value_or(kind));
  require_reach(config, kind, last_position(config, starts));
  return starts;
}

void fit_to_positions(LayerConfig& config, LayerRange layers, std::optional<std::uint32_t> start_pos,
                      const GivenFields& given) {
  const AttentionKind mix = mix_of(config, layers);
  const std::uint32_t own_layer = config.layer_id;
  for (config.layer_id = layers.first; config.layer_id <= layers.last; ++config.layer_id) {
    validate(config, fmt::format("layer {}", config.layer_id));
    const AttentionKind kind = attention_kind(config);
    const std::uint64_t last = last_position(config, starts_of(config, start_pos, mix));
    if (last >= kMostPositions) {
      throw config_error(
          "position {} (start position plus seq {} - 1) lies beyond {}, the last that rope tables are "
          "exact for; lower --start-pos to {} or less",
          last, config.seq, kMostPositions - 1, kMostPositions - config.seq);
    }
    lengthen(config, kind, last, given);
    require_reach(config, kind, last);
    validate(config, fmt::format("layer {}", config.layer_id));
  }
  config.layer_id = own_layer;
}

}  // namespace npu::orch
