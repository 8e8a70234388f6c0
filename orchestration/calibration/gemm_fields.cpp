#include "orchestration/calibration/gemm_fields.hpp"

#include "kernels/reference/matmul.hpp"
#include "orchestration/calibration/tensors.hpp"

namespace npu::orch {
namespace {

using kernels::GemmPlan;
using kernels::reference::Matrix;

/// The product of each group; T is the type of operands, Sum that of results.
template <class T, class Sum>
std::vector<Sum> product(const GemmPlan& p, const T* a, const T* b, unsigned threads) {
  std::vector<Sum> c(std::size_t{p.groups} * p.m * p.n);
  const std::size_t b_rows = p.weight_order() == kernels::WeightOrder::NK ? p.n : p.k;
  const std::size_t b_cols = p.weight_order() == kernels::WeightOrder::NK ? p.k : p.n;
  for (std::size_t g = 0; g < p.groups; ++g) {
    const Matrix<const T> left{a + g * p.m * p.k, p.m, p.k};
    const Matrix<const T> right{b + g * b_rows * b_cols, b_rows, b_cols};
    const Matrix<Sum> result{c.data() + g * p.m * p.n, p.m, p.n};
    if (p.weight_order() == kernels::WeightOrder::NK) {
      kernels::reference::matmul_transposed(left, right, result, threads);
    } else {
      kernels::reference::matmul(left, right, result, threads);
    }
  }
  return c;
}

}  // namespace

std::vector<PlanField> gemm_fields(GemmPlan& p) {
  return {
      number_field("groups", p.groups, {1, 4096}, "products of m rows each, with weights of their own"),
      number_field("m", p.m, {}, "rows of A and C"),
      number_field("n", p.n, {}, "columns of B and C"),
      number_field("k", p.k, {}, "columns of A, rows of B"),
      choice_field("b-layout", p.b_layout,
                   {{"nd", GemmPlan::BLayout::ND}, {"dn", GemmPlan::BLayout::DN}, {"nz", GemmPlan::BLayout::NZ}},
                   "B in memory: nd row by row, dn column by column, nz in columns of fractals"),
      extent_field("base", p.base, 4095, "block of C, and k of one cube instruction", "chosen by the sizes"),
      number_field("step-k", p.step_k, {1, 256}, "base blocks along k that one load brings",
                   "1; with a chosen base, what L1 holds"),
      number_field("l1-buffers", p.l1_buffers, {1, 2}, "loads in flight"),
      number_field("l0-buffers", p.l0_buffers, {1, 2}, "operand pairs in L0A and L0B"),
      number_field("acc-buffers", p.acc_buffers, {1, 2}, "accumulators in L0C"),
      extent_field("grid", p.grid, 64, "cores along M and N, each with a rectangle of C",
                   "none: blocks go round the cores"),
      number_field("cores", p.cores, {}, "cube cores", "all, or those of --grid"),
      choice_field("block-order", p.order,
                   {{"row", GemmPlan::BlockOrder::Row}, {"swizzle", GemmPlan::BlockOrder::Swizzle}},
                   "row: blocks row by row; swizzle: in panels of rows, for the sake of L2"),
      number_field("split-k", p.split_k, {1, 64}, "parts of k that different cores add up in memory"),
      switch_field("unit-flag", p.unit_flag, "stores begin before the product is complete"),
      switch_field("prefetch-b", p.prefetch_b, "B is brought into L2 ahead of its use"),
      switch_field("stagger-k", p.stagger_k, "every core begins its k loop elsewhere"),
  };
}

kernels::Extent2 extent_of_b(const GemmPlan& p) {
  return p.weight_order() == kernels::WeightOrder::NK ? kernels::Extent2{p.groups * p.n, p.k}
                                                      : kernels::Extent2{p.groups * p.k, p.n};
}

std::vector<float> float_product(const GemmPlan& plan, const Tensor& a, const Tensor& b, unsigned threads) {
  const std::vector<float> left = to_floats(a), right = to_floats(b);
  return product<float, float>(plan, left.data(), right.data(), threads);
}

std::vector<std::int32_t> integer_product(const GemmPlan& plan, const Tensor& a, const Tensor& b, unsigned threads) {
  return product<std::int8_t, std::int32_t>(plan, a.as<std::int8_t>().data(), b.as<std::int8_t>().data(), threads);
}

}  // namespace npu::orch
