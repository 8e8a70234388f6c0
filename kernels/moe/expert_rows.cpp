#include "kernels/moe/expert_rows.hpp"

#include "isa/errors.hpp"

namespace npu::kernels {

using namespace isa;

namespace {

Reg rows_of(PartBuilder& part, const ExpertRows& experts, const Reg& expert) {
  if (!experts.count) return part.imm(experts.limit);
  const GmTensor count = part.tensor(*experts.count);
  return min(part.load_gm(DType::I32, count.address(expert, 0)), experts.limit);
}

}  // namespace

std::uint32_t ExpertRows::tile_columns(std::string_view kernel, std::uint32_t cols, std::uint32_t widest,
                                       const ArchSpec& arch) const {
  const std::uint32_t narrowest = arch.fractal_rows;
  if (cols % narrowest != 0) {
    throw program_error(
        "kernel {}: an expert matrix of {} columns, which come in fractals of {} (core.fractal_rows); pad the weights",
        kernel, cols, narrowest);
  }
  std::uint32_t tile = narrowest;
  for (std::uint32_t wider = 2 * narrowest; wider <= widest; wider *= 2) {
    if (cols % wider == 0 && std::uint64_t{experts} * (cols / wider) >= arch.clusters) tile = wider;
  }
  return tile;
}

void ExpertRows::for_each_item(PartBuilder& part, std::uint32_t blocks, const ItemsOf& items_of,
                               const Body& body) const {
  Reg item = part.block_index();  // counted from the first item of the current expert
  part.for_range(0, experts, 1, [&](const Reg& expert) {
    const Reg rows = rows_of(part, *this, expert);
    const Reg items = items_of(rows);
    part.while_([&] { return item < items; },
                [&] {
                  body(expert, rows, item);
                  item += blocks;
                });
    item.set(item - items);
  });
}

void ExpertRows::for_each_tile(PartBuilder& part, std::uint32_t blocks, std::uint32_t tile_rows, std::uint32_t cols,
                               std::uint32_t tile_cols, const TileBody& body) const {
  NPU_ASSERT(cols % tile_cols == 0, "whole column tiles");
  const auto tiles_of = [&](const Reg& rows) { return min(rows, 1) * (cols / tile_cols); };
  for_each_item(part, blocks, tiles_of, [&](const Reg& expert, const Reg& rows, const Reg& item) {
    const Reg col = item * tile_cols;
    if (limit <= tile_rows) {
      const Reg row = expert * limit;
      body(expert, row, rows, col);
      return;
    }
    part.for_range(0, rows, tile_rows, [&](const Reg& first) {
      const Reg row = expert * limit + first;
      const Reg n = min(rows - first, tile_rows);
      body(expert, row, n, col);
    });
  });
}

}  // namespace npu::kernels
