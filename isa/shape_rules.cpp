#include "isa/shape_rules.hpp"

#include <fmt/format.h>

#include "isa/errors.hpp"
#include "isa/instructions/instruction_form.hpp"

namespace npu::isa {
namespace {

[[nodiscard]] bool known(std::uint32_t n) { return n != kUnknownExtent; }
[[nodiscard]] bool match(std::uint32_t a, std::uint32_t b) { return !known(a) || !known(b) || a == b; }
[[nodiscard]] bool match(Extent a, Extent b) { return match(a.rows, b.rows) && match(a.cols, b.cols); }
/// a == factor * b, as far as both are known.
[[nodiscard]] bool is_multiple(std::uint32_t a, std::uint32_t factor, std::uint32_t b) {
  return !known(a) || !known(b) || a == std::uint64_t{factor} * b;
}
[[nodiscard]] bool divides(std::uint32_t divisor, std::uint32_t n) { return !known(n) || n % divisor == 0; }
[[nodiscard]] bool at_most(std::uint32_t n, std::uint32_t limit) { return !known(n) || n <= limit; }

std::string text(std::uint32_t n) { return known(n) ? fmt::format("{}", n) : std::string{"?"}; }
std::string text(Extent e) { return fmt::format("[{}, {}]", text(e.rows), text(e.cols)); }

Violation mismatch(std::string what, std::string limit) {
  return {Stage::Shape, std::move(what), std::move(limit), "give the tiles matching valid shapes, or use a sub-tile"};
}

std::optional<Violation> check_same(const OpInfo& info, const Instruction& ins, const ValidExtents& valid) {
  for (const OperandSpec& operand : info.operands) {
    if (!is_tile(operand.kind)) continue;
    const Extent other = valid.t[index_of(operand.field) - index_of(Field::T0)];
    if (!match(valid.t[0], other)) {
      return mismatch(fmt::format("valid shapes {} and {} differ", text(valid.t[0]), text(other)),
                      "all tiles of the instruction have one valid shape");
    }
  }
  if (ins.opcode != Opcode::TMrgSort) return std::nullopt;
  const bool whole_blocks = ins.imm > 0 && static_cast<std::uint32_t>(ins.imm) % kSortBlock == 0;
  if (!whole_blocks || ins.imm > 0xffff) {
    return Violation{Stage::Shape, fmt::format("merges runs of {} pairs", ins.imm),
                     fmt::format("a run is a positive multiple of {} pairs", kSortBlock),
                     "start from the runs that tsort32 writes"};
  }
  if (!divides(2 * kSortBlock, valid.t[1].cols)) {
    return Violation{Stage::Shape, fmt::format("merges rows of {} columns", text(valid.t[1].cols)),
                     fmt::format("whole sort blocks: multiples of {} columns", 2 * kSortBlock),
                     "pad the row with pairs that sort last"};
  }
  return std::nullopt;
}

std::optional<Violation> check_expand(const Instruction& ins, const ValidExtents& valid, bool by_row) {
  const Extent dst = valid.t[0];
  const bool copies = ins.t2 == kNoDescriptor;
  const Extent line = copies ? valid.t[1] : valid.t[2];
  if (!copies && !match(dst, valid.t[1])) {
    return mismatch(fmt::format("destination {} and first source {} differ", text(dst), text(valid.t[1])),
                    "they have one valid shape");
  }
  const Extent wanted = by_row ? Extent{dst.rows, 1} : Extent{1, dst.cols};
  if (match(line, wanted)) return std::nullopt;
  return mismatch(fmt::format("{} source is {}", by_row ? "per-row" : "per-column", text(line)),
                  fmt::format("it is {} for a destination {}", text(wanted), text(dst)));
}

std::optional<Violation> check_matmul(const Instruction& ins, const ValidExtents& valid) {
  const auto& [acc, left, right] = valid.t;
  if (!match(acc.rows, left.rows) || !match(acc.cols, right.cols) || !match(left.cols, right.rows)) {
    return mismatch(fmt::format("acc {}, left {}, right {} do not multiply", text(acc), text(left), text(right)),
                    "acc [m, n] = left [m, k] x right [k, n]");
  }
  for (const std::uint32_t n : {left.rows, left.cols, right.rows, right.cols, acc.rows, acc.cols}) {
    if (known(n) && (n < 1 || n > kMaxMatmulExtent)) {
      return Violation{Stage::Shape, fmt::format("m, k or n is {}", n), fmt::format("1 to {}", kMaxMatmulExtent),
                       "split the product into smaller tiles"};
    }
  }
  if (ins.opcode == Opcode::TMatmulBias && !match(valid.bias, Extent{1, acc.cols})) {
    return mismatch(fmt::format("bias is {}", text(valid.bias)), fmt::format("it is [1, {}]", text(acc.cols)));
  }
  return std::nullopt;
}

std::optional<Violation> check_gather_mask(const Instruction& ins, const ValidExtents& valid) {
  const std::uint32_t keep = ins.mode < 2 ? 2 : 4;  // one lane in `keep`
  const Extent dst = valid.t[0], src = valid.t[1];
  if (match(dst.rows, src.rows) && divides(keep, src.cols) && is_multiple(src.cols, keep, dst.cols))
    return std::nullopt;
  return mismatch(fmt::format("destination {} does not hold one lane in {} of {}", text(dst), keep, text(src)),
                  fmt::format("[rows, cols / {}] of whole groups", keep));
}

std::optional<Violation> check_sort(const ValidExtents& valid) {
  const auto& [dst, value, index] = valid.t;
  if (!match(value, index) || !match(dst.rows, value.rows) || !is_multiple(dst.cols, 2, value.cols)) {
    return mismatch(fmt::format("destination {}, values {}, indices {}", text(dst), text(value), text(index)),
                    "destination [rows, 2 * cols], values and indices [rows, cols]");
  }
  if (!divides(kSortBlock, value.cols) || !at_most(value.cols, kSortBlock * kMaxSortRepeat)) {
    return Violation{Stage::Shape, fmt::format("sorts rows of {} columns", text(value.cols)),
                     fmt::format("a multiple of {}, at most {} blocks", kSortBlock, kMaxSortRepeat),
                     "pad the row with values that sort last, or sort in pieces"};
  }
  return std::nullopt;
}

std::optional<Violation> check_load(const TileDesc& tile, Extent valid) {
  const std::uint32_t lines = is_column_major(tile.layout) ? valid.cols : valid.rows;
  const std::uint32_t limit = tile.space == Space::UB ? kMaxLoadLinesVector : kMaxLoadLinesMatrix;
  if (at_most(lines, limit)) return std::nullopt;
  return Violation{Stage::Shape, fmt::format("loads {} lines", text(lines)),
                   fmt::format("at most {} lines to {}", limit, name_of(tile.space)), "split the load"};
}

std::optional<Violation> check_move(const Instruction& ins, const Program& program, const ValidExtents& valid) {
  if (ins.opcode == Opcode::TLoad) return check_load(program.tiles[ins.t0], valid.t[0]);
  if (ins.opcode == Opcode::TStore) return std::nullopt;  // the view takes its shape from the tile
  if (ins.opcode == Opcode::TExtract) {
    const Extent region = extract_region(ins, valid), src = valid.t[1];
    const bool fits =
        (!known(src.rows) || at_most(region.rows, src.rows)) && (!known(src.cols) || at_most(region.cols, src.cols));
    if (fits) return std::nullopt;
    return mismatch(fmt::format("sub-tile {} is larger than its source {}", text(region), text(src)),
                    "the sub-tile lies inside the valid source");
  }
  if (match(valid.t[0], valid.t[1])) return std::nullopt;
  return mismatch(fmt::format("valid shapes {} and {} differ", text(valid.t[0]), text(valid.t[1])),
                  "source and destination have one valid shape");
}

std::optional<Violation> check_rule(const OpInfo& info, const Instruction& ins, const Program& program,
                                    const ValidExtents& valid) {
  const Extent dst = valid.t[0], src = valid.t[1];
  switch (info.shape) {
    case ShapeRule::None:
      if (ins.opcode == Opcode::TCi && !match(dst.rows, 1))
        return mismatch(fmt::format("destination is {}", text(dst)), "one row");
      return std::nullopt;
    case ShapeRule::Same:
      return check_same(info, ins, valid);
    case ShapeRule::RowReduce:
      if (match(dst, Extent{src.rows, 1})) return std::nullopt;
      return mismatch(fmt::format("reduces {} to {}", text(src), text(dst)),
                      fmt::format("result is [{}, 1]", text(src.rows)));
    case ShapeRule::ColReduce:
      if (match(dst, Extent{1, src.cols})) return std::nullopt;
      return mismatch(fmt::format("reduces {} to {}", text(src), text(dst)),
                      fmt::format("result is [1, {}]", text(src.cols)));
    case ShapeRule::RowExpand:
      return check_expand(ins, valid, true);
    case ShapeRule::ColExpand:
      return check_expand(ins, valid, false);
    case ShapeRule::Transpose:
      if (match(dst, Extent{src.cols, src.rows})) return std::nullopt;
      return mismatch(fmt::format("transposes {} to {}", text(src), text(dst)), "rows and columns change places");
    case ShapeRule::Matmul:
      return check_matmul(ins, valid);
    case ShapeRule::Gather:
      if (match(dst, valid.t[2]) && match(dst.rows, src.rows)) return std::nullopt;
      return mismatch(fmt::format("destination {}, source {}, index {}", text(dst), text(src), text(valid.t[2])),
                      "destination and index have one shape, the source as many rows");
    case ShapeRule::GatherMask:
      return check_gather_mask(ins, valid);
    case ShapeRule::Sort:
      return check_sort(valid);
    case ShapeRule::Move:
      return check_move(ins, program, valid);
  }
  NPU_ASSERT(false, "shape rule without a check");
  return std::nullopt;
}

}  // namespace

Extent extract_region(const Instruction& ins, const ValidExtents& valid) {
  const Extent dst = valid.t[0];
  return ins.mode == 0 ? dst : Extent{dst.cols, dst.rows};
}

std::optional<Violation> check_shapes(const Instruction& ins, const Program& program, const ValidExtents& valid) {
  const OpInfo& info = op_info(ins.opcode);
  return check_rule(info, ins, program, valid);
}

std::optional<Violation> check_extract_origin(const Instruction& ins, const Program& program, const ValidExtents& valid,
                                              std::int64_t row, std::int64_t col, const ArchSpec& arch) {
  NPU_ASSERT(ins.opcode == Opcode::TExtract, "only TEXTRACT has an origin");
  const Extent region = extract_region(ins, valid), src = valid.t[1];
  const std::int64_t row_step = arch.fractal_rows;
  const std::int64_t col_step = arch.fractal_bytes / size_of(program.tiles[ins.t1].dtype);
  if (row < 0 || col < 0 || row % row_step != 0 || col % col_step != 0) {
    return Violation{Stage::Layout, fmt::format("sub-tile starts at row {}, column {}", row, col),
                     fmt::format("rows in steps of {}, columns in steps of {}", row_step, col_step),
                     "start on a fractal boundary"};
  }
  const auto inside = [](std::int64_t begin, std::uint32_t size, std::uint32_t limit) {
    return !known(size) || !known(limit) || (begin <= limit && size <= limit - begin);
  };
  if (inside(row, region.rows, src.rows) && inside(col, region.cols, src.cols)) return std::nullopt;
  return mismatch(
      fmt::format("sub-tile {} at row {}, column {} leaves its source {}", text(region), row, col, text(src)),
      "the sub-tile lies inside the valid source");
}

}  // namespace npu::isa
