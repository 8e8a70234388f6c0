#include <algorithm>
#include <bit>
#include <cmath>
#include <initializer_list>

#include "isa/errors.hpp"
#include "kernels/common/compressor_shape.hpp"
#include "orchestration/data/config_fields.hpp"
#include "orchestration/data/presets.hpp"
#include "orchestration/data/rope_tables.hpp"

namespace npu::orch {
namespace {

using kernels::AttentionKind;
using kernels::LayerConfig;

/// Large enough for any model.
constexpr std::uint32_t kLargestField = 1U << 24U;
/// Of the counts and row lengths that two or three fields make: their bytes stay within 32 bits.
constexpr std::uint64_t kLargestProduct = 1U << 28U;

void check_ranges(const LayerConfig& config, std::string_view source) {
  visit_fields(config, [&](std::string_view name, std::string_view, const auto& member) {
    using Member = std::decay_t<decltype(member)>;
    if constexpr (std::is_same_v<Member, std::uint32_t>) {
      const std::uint32_t least = name == "hash_layers" || may_be_left_out(name) ? 0 : 1;
      if (member < least || member > kLargestField) {
        throw config_error("{}: {} is {}; expected {}..{}", source, name, member, least, kLargestField);
      }
    } else if constexpr (std::is_same_v<Member, float>) {
      const bool may_be_zero = name == "swiglu_limit";
      if (!std::isfinite(member) || member < 0.0F || (member == 0.0F && !may_be_zero)) {
        throw config_error("{}: {} is {}; expected a {} finite number", source, name, member,
                           may_be_zero ? "non-negative" : "positive");
      }
    }
  });
}

struct Factor {
  std::string_view name;
  std::uint64_t value;
};

void check_product(std::string_view source, std::initializer_list<Factor> factors) {
  std::uint64_t product = 1;
  std::string text;
  for (const Factor& f : factors) {
    product = std::min(product * f.value, kLargestProduct + 1);  // no field is above 24 bits: nothing wraps
    text += fmt::format("{}{} {}", text.empty() ? "" : " x ", f.name, f.value);
  }
  if (product > kLargestProduct) throw config_error("{}: {} exceeds {}", source, text, kLargestProduct);
}

void check_products(const LayerConfig& c, std::string_view source) {
  check_product(source, {{"ranks", c.ranks}, {"batch", c.batch}, {"seq", c.seq}, {"top_k", c.top_k}});
  check_product(source, {{"local_experts", c.local_experts}, {"recv_max", c.recv_max}});
  check_product(source, {{"hc_mult", c.hc_mult}, {"hidden", c.hidden}});
  check_product(source, {{"heads", c.heads}, {"head_dim", c.head_dim}});
  check_product(source, {{"o_groups", c.o_groups}, {"o_lora", c.o_lora}});
  check_product(source, {{"index_heads", c.index_heads}, {"index_dim", c.index_dim}});
}

void require(bool condition, std::string_view source, std::string_view text) {
  if (!condition) throw config_error("{}: {}", source, text);
}

/// A pool of fewer pages than its table names holds what the windows of a step read.
void require_state_pool(const LayerConfig& c, std::uint32_t pages, std::string_view source, std::string_view prefix) {
  const kernels::CompressorShape shape = kernels::main_compressor(c, attention_kind(c));
  const std::uint32_t least = std::min(shape.live_pages(c.seq), shape.state_pages);
  require(pages == 0 || (pages >= least && pages <= shape.state_pages), source,
          fmt::format("{0}_pool_blocks is {1}; expected {2}..{3}, from the pages that a step of seq {4} reads to "
                      "{0}_max_blocks, or 0 for the latter",
                      prefix, pages, least, shape.state_pages, c.seq));
}

}  // namespace

void validate(const LayerConfig& c, std::string_view source) {
  check_ranges(c, source);
  check_products(c, source);
  require(c.hc_mult == 4, source,
          fmt::format("hc_mult is {}; the layer is defined for a residual stack of 4", c.hc_mult));
  require(c.rope_dim % 2 == 0 && c.rope_dim <= c.head_dim && c.rope_dim <= c.index_dim, source,
          fmt::format("rope_dim {} must be even and at most head_dim {} and index_dim {}", c.rope_dim, c.head_dim,
                      c.index_dim));
  require(c.heads % c.o_groups == 0, source,
          fmt::format("heads {} must be a multiple of o_groups {}", c.heads, c.o_groups));
  require(c.window == c.page, source,
          fmt::format("window {} must equal page {}: a request's ring is one page", c.window, c.page));
  require(c.experts == std::uint64_t{c.local_experts} * c.ranks, source,
          fmt::format("experts {} must be local_experts {} times ranks {}", c.experts, c.local_experts, c.ranks));
  require(c.top_k <= c.experts, source,
          fmt::format("top_k {} must not exceed experts {}; use more ranks or fewer experts per token", c.top_k,
                      c.experts));
  require(std::has_single_bit(c.index_dim), source,
          fmt::format("index_dim {} must be a power of two: it is turned by a Hadamard matrix", c.index_dim));
  require(c.max_positions % 128 == 0 && c.max_positions <= kMostPositions, source,
          fmt::format("max_positions {} must be a multiple of 128, the largest compression ratio, and at most {}",
                      c.max_positions, kMostPositions));
  require(c.seq <= c.window, source, fmt::format("seq {} must not exceed window {}", c.seq, c.window));
  switch (attention_kind(c)) {
    case AttentionKind::Swa:
      break;
    case AttentionKind::Hca:
    case AttentionKind::Csa: {
      const std::uint32_t ratio = c.compress_ratios[c.layer_id];
      require(c.seq <= ratio, source,
              fmt::format(
                  "seq {} must not exceed the compression ratio {} of layer {}: a step completes one window at most",
                  c.seq, ratio, c.layer_id));
      if (ratio == 4) {
        require_state_pool(c, c.c4_pool_blocks, source, "c4");
      } else {
        require_state_pool(c, c.c128_pool_blocks, source, "c128");
      }
      break;
    }
  }
}

}  // namespace npu::orch
