#include "kernels/matmul/tile_dequantiser.hpp"

#include <utility>

namespace npu::kernels {

using namespace isa;

TileDequantiser::TileDequantiser(PartBuilder& part, const Shape& shape, GmTensor x_scale, GmTensor w_scale, GmTensor y)
    : part_{part},
      shape_{shape},
      x_scale_{std::move(x_scale)},
      w_scale_{std::move(w_scale)},
      y_{std::move(y)},
      column_scale_{part.ub(DType::F32, 1, shape.cols, "w_scale")},
      load_{part.ring(2, Pipe::MTE2, Pipe::V,
                      {{Space::UB, DType::I32, shape.rows, shape.cols, Layout::ND, "acc"},
                       {Space::UB, DType::F32, shape.rows, 1, Layout::DN, "x_scale"}})},
      value_{part.ub(DType::F32, shape.rows, shape.cols, "value")},
      store_{part.ring(2, Pipe::V, Pipe::MTE3, {{Space::UB, shape.out, shape.rows, shape.cols, Layout::ND, "y"}})} {}

void TileDequantiser::begin(const Value& group, const Value& col, const Value& cols) {
  part_.sync(Pipe::V, Pipe::MTE2);
  part_.tload(column_scale_.valid(1, cols), w_scale_.at(group, col));
  part_.sync(Pipe::MTE2, Pipe::V);
}

void TileDequantiser::rows(const GmTensor& slot, const Reg& slot_row, const Region& region, const Value& first,
                           std::uint32_t step) {
  const Reg all = region.rows.reg() != nullptr ? part_.copy(*region.rows.reg()) : part_.imm(region.rows.imm());
  const Tile column_scale = column_scale_.valid(1, region.cols);
  part_.for_range(first, all, step, [&](const Reg& r) {
    const Reg n = min(all - r, shape_.rows);
    const Reg row = r + region.row, from = slot_row + r;
    load_.produce();
    part_.tload(load_[0].valid(n, region.cols), slot.at(from, 0));      // (n, cols) i32
    part_.tload(load_[1].valid(n, 1), x_scale_.transposed_at(row, 0));  // (n, 1) f32
    load_.push();
    load_.consume();
    const Tile v = value_.valid(n, region.cols);
    part_.tcvt(v, load_[0].valid(n, region.cols), RoundMode::Rint);
    part_.vec(Opcode::TRowExpandMul, v, v, load_[1].valid(n, 1));
    load_.pop();
    store_.produce();
    const Tile result = store_[0].valid(n, region.cols);
    if (shape_.out == DType::F32) {
      part_.vec(Opcode::TColExpandMul, result, v, column_scale);
    } else {
      part_.vec(Opcode::TColExpandMul, v, v, column_scale);
      part_.tcvt(result, v, RoundMode::Rint);
    }
    store_.push();
    store_.consume();
    part_.tstore(y_.at(row, region.col), result);
    store_.pop();
  });
}

}  // namespace npu::kernels
