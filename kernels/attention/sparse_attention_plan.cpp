#include <algorithm>

#include "isa/errors.hpp"
#include "isa/shape_rules.hpp"
#include "isa/units.hpp"
#include "kernels/attention/sparse_attention_parts.hpp"

namespace npu::kernels::attention {

using namespace isa;

namespace {

/// Bytes of UB that the tiles of a vector core take, and a margin for the columns of softmax state.
std::uint64_t vector_bytes(const Plan& s, std::uint32_t rows, std::uint32_t slots) {
  const std::uint64_t running = s.list_blocks > 1 ? std::uint64_t{s.vec_heads} * s.dim * 4 : 0;
  const std::uint64_t row =
      std::uint64_t{slots} * s.dim * (4 + 2) + 2ULL * s.block * (4 + 2) + Rope::bytes_per_row(s.rope);
  const std::uint64_t state = 12ULL * round_up(s.vec_heads * 4, 32) + 4ULL * round_up(s.block * 4, 32);
  return running + rows * row + state + Rope::fixed_bytes(s.rope);
}

/// The most heads at a time that fit, with two buffers if possible. A column of per-head scalars starts on 32 bytes.
/// The fewest where nothing fits, which the builder then refuses with the memory map.
void choose_rows(Plan& s, const ArchSpec& arch) {
  const std::uint64_t capacity = arch.buffer(Space::UB).capacity.count();
  for (const std::uint32_t slots : {2U, 1U}) {
    for (const std::uint32_t rows : {16U, 8U}) {
      const std::uint32_t used = std::min(rows, s.vec_heads);
      if (s.vec_heads % used != 0) continue;
      s.rows = used;
      s.slots = slots;
      if (vector_bytes(s, used, slots) <= capacity) return;
    }
  }
  if (s.rows == 0) {
    throw program_error(
        "sparse_attention: {} heads a vector core come in no groups of 8 or 16; use a multiple of 16 "
        "heads, or at most 32",
        s.vec_heads);
  }
}

}  // namespace

PlanFields Plan::fields(const ArchSpec& arch) {
  const std::uint32_t group = std::min(8U, vec_heads);  // a column of per-head scalars starts on 32 bytes
  return {{"blocks", "blocks", "of the task, which take tokens in turn", &blocks, 1, std::min(tokens, arch.clusters)},
          {"chunk", "columns", "of a head in one product of the cube", &chunk, 16, dim, 16, dim},
          {"rows", "heads", "that a vector core handles at a time", &rows, group, vec_heads, group, vec_heads},
          {"slots", "buffers", "of value products and of the output", &slots, 1, 2},
          {"q_slots", "buffers", "of queries in L1", &q_slots, 1, 2}};
}

Plan plan_attention(const LayerConfig& cfg, const ArchSpec& arch, std::uint32_t list_width) {
  Plan s{};
  s.tokens = cfg.tokens();
  s.heads = cfg.heads;
  s.dim = cfg.head_dim;
  s.rope = cfg.rope_dim;
  s.block = cfg.softmax_block;
  s.width = list_width;
  s.list_blocks = static_cast<std::uint32_t>(ceil_div(s.width, s.block));
  s.blocks = std::min(s.tokens, arch.clusters);
  s.chunk = std::min(s.dim, 128U);
  s.vec_heads = s.heads / 2;
  if (s.tokens == 0 || s.width == 0) throw program_error("sparse_attention: no tokens or an index list of width 0");
  if (s.heads % 2 != 0) throw program_error("sparse_attention: {} heads do not split over two vector cores", s.heads);
  if (s.dim % s.chunk != 0 || s.dim % 16 != 0) {
    throw program_error("sparse_attention: head_dim {} is neither a multiple of 128 nor of 16 below 128", s.dim);
  }
  if ((s.dim - s.rope) % 16 != 0) {
    throw program_error("sparse_attention: rope columns start at {}, 16 bf16 (32 bytes) are the step", s.dim - s.rope);
  }
  if (cfg.window > cfg.page) {
    throw program_error("sparse_attention: window {} exceeds the page of {} rows, block_table has one page a request",
                        cfg.window, cfg.page);
  }
  if (s.block == 0 || s.block > kMaxMatmulExtent) {
    throw config_error("softmax_block = {}: the keys of a block are the columns of one matrix product, 1 to {} of them",
                       s.block, kMaxMatmulExtent);
  }
  const std::uint64_t l1 = arch.buffer(Space::L1).capacity.count();
  const std::uint64_t keys = round_up(s.block, arch.fractal_rows), heads = round_up(s.heads, arch.fractal_rows);
  const std::uint64_t key_bytes = 2 * keys * s.dim * 2, q_bytes = heads * s.dim * 2, weight_bytes = heads * keys * 2;
  s.q_slots = key_bytes + 2 * q_bytes + weight_bytes <= l1 ? 2 : 1;
  choose_rows(s, arch);
  s.scores = {.slots = 2, .rows = s.heads, .cols = s.block, .dtype = DType::F32, .full_id = 0, .free_id = 1};
  s.weights = {.slots = 2, .rows = s.heads, .cols = s.block, .dtype = DType::BF16, .full_id = 2, .free_id = 3};
  s.values = {.slots = 2, .rows = s.heads, .cols = s.dim, .dtype = DType::F32, .full_id = 4, .free_id = 5};
  return s;
}

GmTensor region(PartBuilder& p, const Arguments& a, std::uint64_t offset, const CrossFifo& fifo) {
  return {p.tensor(a.workspace).address(0, 0) + static_cast<std::int64_t>(offset), fifo.dtype, fifo.cols};
}

Reg count_steps(PartBuilder& p, const Plan& s) {
  const Reg tokens = (p.imm(s.tokens + s.blocks - 1) - p.block_index()) / s.blocks;
  return tokens * s.list_blocks;
}

Reg token_of(PartBuilder& p, const Plan& s, const Reg& step) {
  return step / s.list_blocks * s.blocks + p.block_index();
}

Reg column_of(const Plan& s, const Reg& step) { return step % s.list_blocks * s.block; }

Reg columns_of(PartBuilder& p, const Plan& s, const Reg& step) {
  if (s.width % s.block == 0) return p.imm(s.block);
  const Reg col = column_of(s, step);
  return min(p.imm(s.width) - col, s.block);
}

}  // namespace npu::kernels::attention
