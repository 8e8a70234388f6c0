// Sinkhorn normalisation of one small square matrix per token, all tokens of a tile at once (decode-layer.md S3.2).
#pragma once

#include <cstdint>

#include "isa/builder/part_builder.hpp"

namespace npu::kernels {

class Sinkhorn {
 public:
  /// Scratch for matrices of m x m and at most `tokens` tokens.
  Sinkhorn(isa::PartBuilder& part, std::uint32_t m, std::uint32_t tokens);

  /// `matrices` [m*m, tokens] f32: row in*m + out holds that element of every token's matrix. Softmax over `out`, then
  /// alternating column and row normalisation, in place; the first n tokens.
  void run(const isa::Tile& matrices, const isa::Reg& n, std::uint32_t iterations, float eps);

 private:
  /// Divides every line by its sum + eps; `line(j)` is element j of all m lines, an [m, tokens] view.
  template <class Line>
  void normalise(const Line& line, const isa::Reg& n, float eps);
  template <class Line>
  void sum_of(const Line& line, const isa::Tile& sum);

  isa::PartBuilder& p_;
  std::uint32_t m_;
  isa::Tile reduced_;  ///< [m, tokens]: one value per line
};

}  // namespace npu::kernels
