#include "kernels/hyper_connection/sinkhorn.hpp"

namespace npu::kernels {

using namespace isa;

Sinkhorn::Sinkhorn(PartBuilder& part, std::uint32_t m, std::uint32_t tokens)
    : p_{part}, m_{m}, reduced_{part.ub(DType::F32, m, tokens, "line_sums")} {}

template <class Line>
void Sinkhorn::sum_of(const Line& line, const Tile& sum) {
  p_.vec(Opcode::TCopy, sum, line(0));
  for (std::uint32_t j = 1; j < m_; ++j) p_.vec(Opcode::TAdd, sum, sum, line(j));
}

template <class Line>
void Sinkhorn::normalise(const Line& line, const Reg& n, float eps) {
  const Tile sum = reduced_.valid(m_, n);
  sum_of(line, sum);
  p_.vecs(Opcode::TAddS, sum, sum, eps);
  for (std::uint32_t j = 0; j < m_; ++j) p_.vec(Opcode::TDiv, line(j), line(j), sum);
}

void Sinkhorn::run(const Tile& matrices, const Reg& n, std::uint32_t iterations, float eps) {
  const std::uint32_t m = m_;
  // Element j of every row is in column j; element j of every column is in row j.
  const auto of_rows = [&](std::uint32_t j) { return matrices.every(j, m, m).valid(m, n); };
  const auto of_columns = [&](std::uint32_t j) { return matrices.view(j * m, 0, m, matrices.cols()).valid(m, n); };
  const Tile reduced = reduced_.valid(m, n), all = matrices.valid(m * m, n);
  p_.vec(Opcode::TCopy, reduced, of_rows(0));
  for (std::uint32_t j = 1; j < m; ++j) p_.vec(Opcode::TMax, reduced, reduced, of_rows(j));
  for (std::uint32_t j = 0; j < m; ++j) p_.vec(Opcode::TSub, of_rows(j), of_rows(j), reduced);
  p_.vec(Opcode::TExp, all, all);
  sum_of(of_rows, reduced);
  for (std::uint32_t j = 0; j < m; ++j) p_.vec(Opcode::TDiv, of_rows(j), of_rows(j), reduced);
  p_.vecs(Opcode::TAddS, all, all, eps);
  normalise(of_columns, n, eps);
  p_.for_range(1, iterations, 1, [&](const Reg&) {
    normalise(of_rows, n, eps);
    normalise(of_columns, n, eps);
  });
}

}  // namespace npu::kernels
