// The mix of the residual stack's rows that hc_pre and hc_head share: factors from a projection of the whole stack
// (decode-layer.md S3.2).
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "isa/arch_spec.hpp"
#include "isa/builder/kernel_builder.hpp"
#include "kernels/common/cube_matmul.hpp"
#include "kernels/common/fitting.hpp"
#include "kernels/common/layer_config.hpp"

namespace npu::kernels {

/// Tokens over blocks; the two vector cores of a cluster share the row group of a block.
struct StreamPlan {
  std::uint32_t tokens;
  std::uint32_t group;  ///< tokens of a block
  std::uint32_t share;  ///< of them, tokens of one vector core
  std::uint32_t blocks;
  std::uint32_t width;  ///< columns of the projection
  std::uint32_t pitch;  ///< f32 of a workspace row: a token's widened stack and behind it its projection
  std::uint32_t chunk;  ///< columns of the stack that a vector core handles at a time
  MatmulShape projection;
  MatmulTiling tiling;  ///< of the projection
  [[nodiscard]] std::uint64_t workspace_bytes() const { return std::uint64_t{tokens} * pitch * sizeof(float); }
  [[nodiscard]] PlanFields fields(const isa::ArchSpec& arch);
  [[nodiscard]] bool shrink(const isa::ArchSpec& arch, const isa::CapacityError& error);
};
[[nodiscard]] StreamPlan plan_streams(std::string_view kernel, const LayerConfig& cfg, const isa::ArchSpec& arch,
                                      std::uint32_t width);

struct StreamArguments {
  isa::TensorArgument x;      ///< [T, M*D] bf16
  isa::TensorArgument fn;     ///< [width, M*D] f32
  isa::TensorArgument scale;  ///< one per part of the projection, f32
  isa::TensorArgument base;   ///< [width] f32
  isa::TensorArgument mixed;  ///< [T, D] bf16
  isa::TensorArgument workspace;
};

/// dst = 1 / (1 + exp(-z)); z is overwritten.
void sigmoid(isa::PartBuilder& p, const isa::Tile& dst, const isa::Tile& z);

/// The vector half of a block: tokens [row, row + n) of its row group.
class StreamMixer {
 public:
  StreamMixer(isa::PartBuilder& part, const LayerConfig& cfg, const StreamPlan& plan, const StreamArguments& arguments);

  /// Stack rows to f32 in the workspace for the cube; the sum of squares on the way.
  void widen(const isa::Reg& row, const isa::Reg& n);
  /// projection * rms factor * scale + base, transposed: [width, tokens] f32, a row per column of the projection. Part
  /// i is the next part_rows[i] of them and has scale i.
  [[nodiscard]] isa::Tile values(const isa::Reg& row, const isa::Reg& n, const std::vector<std::uint32_t>& part_rows);
  /// Factor of stack row h = sigmoid(values row h) + hc_eps; overwrites the first M rows of `values`.
  void set_factors(const isa::Tile& values, const isa::Reg& n);
  /// mixed = bf16(sum over the stack of x * factor), added in pairs.
  void mix(const isa::Reg& row, const isa::Reg& n);

 private:
  void load_chunk(const isa::Reg& row, const isa::Reg& n, const isa::Reg& col, const isa::Reg& cols);

  isa::PartBuilder& p_;
  const LayerConfig& cfg_;
  const StreamPlan& plan_;
  std::uint32_t m_, d_, chunk_;
  isa::GmTensor x_, scale_, base_, mixed_, workspace_;
  isa::Ring &load_, &widened_, &narrowed_;
  isa::Tile sum_, pair_, term_, rms_, factors_;
};

/// Both parts of the kernel; `factors` computes the factors of a core's tokens between the projection and the mix.
void emit_stream_mix(
    isa::KernelBuilder& kernel, const LayerConfig& cfg, const StreamPlan& plan, const StreamArguments& arguments,
    const std::function<void(isa::PartBuilder&, StreamMixer&, const isa::Reg& row, const isa::Reg& n)>& factors);

}  // namespace npu::kernels
