// The calibration cases, one of each kind.
#pragma once

#include <memory>

#include "orchestration/calibration/workload.hpp"

namespace npu::orch {

[[nodiscard]] std::unique_ptr<CalibrationCase> make_copy_case();
[[nodiscard]] std::unique_ptr<CalibrationCase> make_vector_add_case();
[[nodiscard]] std::unique_ptr<CalibrationCase> make_gemm_case();
[[nodiscard]] std::unique_ptr<CalibrationCase> make_quant_gemm_case();
[[nodiscard]] std::unique_ptr<CalibrationCase> make_flash_attention_case();
[[nodiscard]] std::unique_ptr<CalibrationCase> make_bank_conflict_case();
[[nodiscard]] std::unique_ptr<CalibrationCase> make_topk_case();
[[nodiscard]] std::unique_ptr<CalibrationCase> make_tget_case();
[[nodiscard]] std::unique_ptr<CalibrationCase> make_gemm_allreduce_case();

}  // namespace npu::orch
