#include <algorithm>
#include <array>

#include "orchestration/calibration/cases.hpp"

namespace npu::orch {
namespace {

constexpr std::array kWorkloads{
    CalibrationWorkload{"gemm", "matrix product C = A x B, tiled by flags", 1, make_gemm_case},
    CalibrationWorkload{"quant-gemm", "int8 product, scaled per row and column on the vector cores", 1,
                        make_quant_gemm_case},
    CalibrationWorkload{"flash-attention", "attention of full heads, cube and vector cores in a pipeline", 1,
                        make_flash_attention_case},
    CalibrationWorkload{"copy", "loads of a matrix into UB or L1", 1, make_copy_case},
    CalibrationWorkload{"vector-add", "z = x + y on the vector cores", 1, make_vector_add_case},
    CalibrationWorkload{"bank-conflict", "vector additions whose operands meet in the banks of UB", 1,
                        make_bank_conflict_case},
    CalibrationWorkload{"topk", "the k largest of each row, with their places", 1, make_topk_case},
    CalibrationWorkload{"tget", "reads from the neighbour card", 2, make_tget_case},
    CalibrationWorkload{"gemm-allreduce", "matrix product summed over the cards as it is computed", 2,
                        make_gemm_allreduce_case},
};

}  // namespace

std::span<const CalibrationWorkload> calibration_workloads() { return kWorkloads; }

const CalibrationWorkload* find_calibration_workload(std::string_view name) {
  const auto found =
      std::find_if(kWorkloads.begin(), kWorkloads.end(), [&](const CalibrationWorkload& w) { return w.name == name; });
  return found == kWorkloads.end() ? nullptr : &*found;
}

}  // namespace npu::orch
