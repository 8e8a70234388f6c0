// The gather of sparse attention: key rows that a list of codes names, from global memory to a tile in L1.
#pragma once

#include <cstdint>

#include "isa/builder/kernel_builder.hpp"
#include "kernels/common/layer_config.hpp"

namespace npu::kernels {

struct KeySources {
  isa::TensorArgument kv_cache, block_table, kv, cmp_kv, cmp_block_table, sparse_indices;
};

/// Loads rows of the codes sparse_indices[token, col .. col+cols) into rows 0 .. cols of `keys` (L1, [block, hd]).
/// Neighbours in the list that are neighbours in memory come with one TLOAD. A code of -1 loads a row that the token
/// may see anyway: the first of this step's rows of its request.
void gather_keys(isa::PartBuilder& part, const LayerConfig& cfg, const KeySources& sources, const isa::Reg& token,
                 const isa::Reg& col, const isa::Reg& cols, const isa::Tile& keys);

}  // namespace npu::kernels
