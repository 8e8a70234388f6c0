// TMATMUL, TMATMUL_ACC, TMATMUL_BIAS: acc [m, n] f32 or i32, left [m, k] row-major, right [k, n] ZN or ZNt.
// The initial value of each chain (zero, the accumulator, the bias) is laid into acc, then the kernels accumulate.
#include <cstring>

#include "isa/errors.hpp"
#include "isa/numerics/host_variant.hpp"
#include "isa/semantics/matmul_kernels.hpp"
#include "isa/semantics/operations.hpp"

namespace npu::isa {
namespace {

const MatmulKernels& kernels() {
  switch (host_variant()) {
    case HostVariant::Baseline:
      break;
    case HostVariant::Avx2:
#if defined(__x86_64__)
      return kMatmulAvx2;
#else
      break;
#endif
    case HostVariant::Avx512:
#if defined(__x86_64__)
      return kMatmulAvx512;
#else
      break;
#endif
  }
  return kMatmulBaseline;
}

MatmulKernels::Function kernel_for(DType type) {
  switch (type) {
    case DType::F32:
      return kernels().from_f32;
    case DType::BF16:
      return kernels().from_bf16;
    case DType::F16:
      return kernels().from_f16;
    case DType::I8:
      return kernels().from_i8;
    case DType::U8:
    case DType::I16:
    case DType::I32:
    case DType::I64:
      break;
  }
  throw program_error("tmatmul: no multiply of {} (i8, f16, bf16, f32 are)", name_of(type));
}

}  // namespace

void execute_matmul(const Instruction& ins, const Operands& operands) {
  const auto& [acc, left, right] = operands.t;
  const auto kernel = kernel_for(left.dtype);
  if (ins.opcode != Opcode::TMatmulAcc) {
    const std::size_t bytes = std::size_t{acc.cols} * 4;
    for (std::uint32_t i = 0; i < acc.rows; ++i) {
      if (ins.opcode == Opcode::TMatmulBias) {
        std::memcpy(acc.line<std::byte>(i), operands.bias.line<std::byte>(0), bytes);
      } else {
        std::memset(acc.line<std::byte>(i), 0, bytes);
      }
    }
  }
  thread_local MatmulScratch scratch;
  kernel(acc, left, right, scratch);
}

}  // namespace npu::isa
