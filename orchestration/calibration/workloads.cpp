#include <algorithm>
#include <array>

#include "orchestration/calibration/cases.hpp"

namespace npu::orch {
namespace {

constexpr std::array kWorkloads{
    CalibrationWorkload{"gemm", "matrix product C = A x B, tiled by flags", 1, make_gemm_case},
    CalibrationWorkload{"copy", "loads of a matrix into UB or L1", 1, make_copy_case},
    CalibrationWorkload{"vector-add", "z = x + y on the vector cores", 1, make_vector_add_case},
};

}  // namespace

std::span<const CalibrationWorkload> calibration_workloads() { return kWorkloads; }

const CalibrationWorkload* find_calibration_workload(std::string_view name) {
  const auto found =
      std::find_if(kWorkloads.begin(), kWorkloads.end(), [&](const CalibrationWorkload& w) { return w.name == name; });
  return found == kWorkloads.end() ? nullptr : &*found;
}

}  // namespace npu::orch
