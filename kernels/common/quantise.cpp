#include "kernels/common/quantise.hpp"

namespace npu::kernels {

using namespace isa;

RowQuantiser::RowQuantiser(PartBuilder& part, std::uint32_t rows, std::uint32_t cols)
    : part_{part},
      cols_{cols},
      wide_{part.ub(DType::F32, rows, cols, "scaled")},
      half_{part.ub(DType::F16, rows, cols, "halves")},
      factor_{part.column(DType::F32, rows, "factor")} {}

void RowQuantiser::emit(const Tile& x, const Tile& q, const Tile& scale, const Value& n) const {
  const Tile row = x.valid(n, cols_), wide = wide_.valid(n, cols_), half = half_.valid(n, cols_);
  const Tile factor = factor_.valid(n, 1), out = scale.valid(n, 1);
  // There is no cast from f32 to i8: by way of i32 and f16, both exact for |q| <= 127.
  const Tile integers = wide_.reshape(DType::I32, wide_.rows(), wide_.cols(), Layout::ND).valid(n, cols_);
  part_.vec(Opcode::TAbs, wide, row);
  part_.vec(Opcode::TRowMax, factor, wide);
  part_.vecs(Opcode::TMaxS, factor, factor, 1e-4);
  part_.vecs(Opcode::TSDiv, factor, factor, 127.0);
  part_.vec(Opcode::TRowExpandMul, wide, row, factor);
  part_.tcvt(integers, wide, RoundMode::Rint);
  part_.tcvt(half, integers, RoundMode::Round);
  part_.tcvt(q.valid(n, cols_), half, RoundMode::Trunc);
  part_.vec(Opcode::TRecip, out, factor);
}

}  // namespace npu::kernels
