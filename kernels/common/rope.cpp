#include "kernels/common/rope.hpp"

namespace npu::kernels {

using isa::DType;
using isa::Layout;
using isa::Opcode;
using isa::Pipe;
using isa::Reg;
using isa::RoundMode;
using isa::Space;
using isa::Tile;

Rope::Rope(isa::PartBuilder& part, const RopeArguments& arguments, std::uint32_t rope_dim, std::uint32_t max_rows,
           RopeTurn turn)
    : part_{part},
      dim_{rope_dim},
      positions_{part.tensor(arguments.position_ids)},
      cos_table_{part.tensor(arguments.freqs_cos)},
      sin_table_{part.tensor(arguments.freqs_sin)},
      angle_{part.ring(2, Pipe::MTE2, Pipe::V,
                       {{Space::UB, DType::BF16, 1, rope_dim / 2, Layout::ND, "cos_row"},
                        {Space::UB, DType::BF16, 1, rope_dim / 2, Layout::ND, "sin_row"}})},
      half_{part.ub(DType::F32, 1, rope_dim / 2, "half_row")},
      pair_{part.ub(DType::I32, 1, rope_dim, "pair_index")},
      neighbour_{part.ub(DType::I32, max_rows, rope_dim, "neighbour_index")},
      sign_{part.ub(DType::F32, 1, rope_dim, "sine_sign")},
      cos_{part.ub(DType::F32, 1, rope_dim, "cos")},
      sin_{part.ub(DType::F32, 1, rope_dim, "signed_sin")},
      swapped_{part.ub(DType::F32, max_rows, rope_dim, "swapped")} {
  make_patterns(turn);
}

void Rope::make_patterns(RopeTurn turn) {
  const Tile column = part_.ub(DType::I32, 1, dim_, "column");  // c
  const Tile parity = part_.ub(DType::I32, 1, dim_, "parity");  // c mod 2
  part_.tci(column, 0);
  part_.tcvt(sign_, column, RoundMode::Rint);
  part_.vecs(Opcode::TMulS, sign_, sign_, 0.5);
  part_.tcvt(pair_, sign_, RoundMode::Floor);
  part_.vecs(Opcode::TMulS, parity, pair_, -2);
  part_.vec(Opcode::TAdd, parity, parity, column);
  // The even column of a pair takes -sin, the odd one +sin; the inverse turn exchanges them.
  const int odd = turn == RopeTurn::Forward ? 1 : -1;
  part_.tcvt(sign_, parity, RoundMode::Rint);
  part_.vecs(Opcode::TMulS, sign_, sign_, 2 * odd);
  part_.vecs(Opcode::TAddS, sign_, sign_, -odd);
  part_.vecs(Opcode::TMulS, parity, parity, -2);
  part_.vec(Opcode::TAdd, parity, parity, column);
  part_.vecs(Opcode::TAddS, parity, parity, 1);
  part_.vec(Opcode::TColExpand, neighbour_, parity);
}

void Rope::load(const Reg& token) {
  const Reg position = part_.load_gm(DType::I32, positions_.address(token, 0));
  load_position(position);
}

void Rope::load_position(const Reg& position) {
  angle_.produce();
  part_.tload(angle_[0], cos_table_.at(position, 0));  // (1, dim/2) bf16
  part_.tload(angle_[1], sin_table_.at(position, 0));  // (1, dim/2) bf16
  angle_.push();
  angle_.consume();
  part_.tcvt(half_, angle_[0], RoundMode::None);
  part_.vec(Opcode::TGather, cos_, half_, pair_);  // (1, dim) f32
  part_.tcvt(half_, angle_[1], RoundMode::None);
  part_.vec(Opcode::TGather, sin_, half_, pair_);
  angle_.pop();
  part_.vec(Opcode::TMul, sin_, sin_, sign_);
}

void Rope::turn(const Tile& x, const isa::Value& rows) {
  const Tile straight = x.valid(rows, dim_), swapped = swapped_.valid(rows, dim_);
  part_.vec(Opcode::TGather, swapped, straight, neighbour_.valid(rows, dim_));
  part_.vec(Opcode::TColExpandMul, straight, straight, cos_);
  part_.vec(Opcode::TColExpandMul, swapped, swapped, sin_);
  part_.vec(Opcode::TAdd, straight, straight, swapped);
}

}  // namespace npu::kernels
