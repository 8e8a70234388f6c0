#include "kernels/common/quantise.hpp"

namespace npu::kernels {

using isa::DType;
using isa::Opcode;
using isa::RoundMode;
using isa::Tile;
using isa::Value;

namespace {
constexpr std::uint32_t kTallRows = 32;  // half a vector repeat: lines of this length are worth a transposition
constexpr std::uint32_t kBlock = 8;      // f32 elements of 32 bytes
}  // namespace

RowQuantiser::RowQuantiser(isa::PartBuilder& part, std::uint32_t max_rows, std::uint32_t max_cols)
    : part_{part},
      tall_{max_rows >= kTallRows && max_rows % kBlock == 0 && max_cols % kBlock == 0},
      real_{part.ub(DType::F32, max_rows, max_cols, "quantise_f32")},
      half_{part.ub(DType::F16, max_rows, max_cols, "quantise_f16")},
      largest_{part.column(DType::F32, max_rows, "row_max")},
      piece_{part.column(DType::F32, max_rows, "piece_max")},
      multiplier_{part.column(DType::F32, max_rows, "multiplier")} {}

void RowQuantiser::begin(const Value& rows) { part_.texpands(largest_.valid(rows, 1), 1e-4); }

void RowQuantiser::scan(const Tile& x, const Value& rows, const Value& cols) {
  const Tile largest = largest_.valid(rows, 1), piece = piece_.valid(rows, 1);
  if (tall_) {
    const Tile magnitude = real_.reshape(DType::F32, real_.cols(), real_.rows(), isa::Layout::ND).valid(cols, rows);
    part_.vec(Opcode::TTrans, magnitude, x.valid(rows, cols));
    part_.vec(Opcode::TAbs, magnitude, magnitude);
    part_.vec(Opcode::TColMax, piece_.as_row().valid(1, rows), magnitude);
  } else {
    const Tile magnitude = real_.valid(rows, cols);
    part_.vec(Opcode::TAbs, magnitude, x.valid(rows, cols));
    part_.vec(Opcode::TRowMax, piece, magnitude);
  }
  part_.vec(Opcode::TMax, largest, largest, piece);
}

void RowQuantiser::finish(const Tile& scale, const Value& rows) {
  const Tile multiplier = multiplier_.valid(rows, 1);
  part_.vec(Opcode::TRecip, multiplier, largest_.valid(rows, 1));
  part_.vecs(Opcode::TMulS, multiplier, multiplier, 127.0);
  part_.vec(Opcode::TRecip, scale.valid(rows, 1), multiplier);
}

void RowQuantiser::quantise(const Tile& out, const Tile& x, const Value& rows, const Value& cols) {
  const Tile real = real_.valid(rows, cols), half = half_.valid(rows, cols);
  // There is no cast from f32 to i8: by way of i32 and f16, both exact for |q| <= 127.
  const Tile integer = real_.reshape(DType::I32, real_.rows(), real_.cols(), isa::Layout::ND).valid(rows, cols);
  part_.vec(Opcode::TRowExpandMul, real, x.valid(rows, cols), multiplier_.valid(rows, 1));
  part_.tcvt(integer, real, RoundMode::Rint);
  part_.tcvt(half, integer, RoundMode::Round);
  part_.tcvt(out.valid(rows, cols), half, RoundMode::Trunc);
}

}  // namespace npu::kernels
