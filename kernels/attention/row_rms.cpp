#include "kernels/attention/row_rms.hpp"

namespace npu::kernels {

using isa::DType;
using isa::Opcode;
using isa::Tile;

RowRms::RowRms(isa::PartBuilder& part, std::uint32_t max_rows, std::uint32_t cols, float eps)
    : part_{part},
      cols_{cols},
      eps_{eps},
      square_{part.ub(DType::F32, max_rows, cols, "square")},
      sum_{part.column(DType::F32, max_rows, "square_sum")},
      factor_{part.column(DType::F32, max_rows, "rms_factor")} {}

Tile RowRms::factor(const Tile& x, const isa::Value& rows) {
  const Tile row = x.valid(rows, cols_), square = square_.valid(rows, cols_);
  const Tile sum = sum_.valid(rows, 1), factor = factor_.valid(rows, 1);
  part_.vec(Opcode::TMul, square, row, row);
  part_.vec(Opcode::TRowSum, sum, square);
  part_.vecs(Opcode::TMulS, sum, sum, 1.0F / static_cast<float>(cols_));
  part_.vecs(Opcode::TAddS, sum, sum, eps_);
  part_.vec(Opcode::TSqrt, sum, sum);
  part_.vec(Opcode::TRecip, factor, sum);
  return factor;
}

}  // namespace npu::kernels
