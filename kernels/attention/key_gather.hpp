// The gather of sparse attention: key rows that a list of codes names, from global memory to a tile in L1.
#pragma once

#include <cstdint>

#include "isa/builder/kernel_builder.hpp"
#include "kernels/common/layer_config.hpp"

namespace npu::kernels {

struct KeySources {
  isa::TensorArgument kv_cache, block_table, kv, cmp_kv, cmp_block_table, sparse_indices;
};

/// Loads the rows that the codes at `entry`, entry + 4, ... below `end` (addresses in sparse_indices) name into the
/// first rows of `keys` (L1, [block, hd]). Neighbours in the list that are neighbours in memory come with one TLOAD. A
/// code of -1 loads a row that every token of the request may see: the first of this step's rows. Moves `entry` to
/// `end`.
void gather_keys(isa::PartBuilder& part, const LayerConfig& cfg, const KeySources& sources, const isa::Reg& request,
                 isa::Reg& entry, const isa::Reg& end, const isa::Tile& keys);

}  // namespace npu::kernels
