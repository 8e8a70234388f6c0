// Calibration workloads: small hand-tiled kernels whose plan is given by flags, and whose times on silicon are known.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/common/kernel.hpp"
#include "orchestration/calibration/plan_field.hpp"
#include "orchestration/data/kernel_case.hpp"

namespace npu::orch {

/// How the tensors of a run are made.
struct CaseOptions {
  std::uint32_t cards = 1;
  std::uint64_t seed = 0;
  bool values = true;    ///< false: nothing reads them, so that the tensors stay zero
  bool expected = true;  ///< results to compare with; needs values
  unsigned threads = 1;
};

/// A calibration kernel with its plan.
class CalibrationCase {
 public:
  virtual ~CalibrationCase() = default;
  /// The flags, bound to this case's plan.
  [[nodiscard]] virtual std::vector<PlanField> fields() = 0;
  /// Throws ConfigError for plans that contradict themselves, CapacityError for tiles that do not fit.
  [[nodiscard]] virtual kernels::Kernel build(const isa::ArchSpec& arch, std::uint32_t cards) const = 0;
  /// Tensors before the run and what is expected after it, in the order of the kernel's arguments.
  [[nodiscard]] virtual std::vector<KernelValue> values(const kernels::Kernel& kernel,
                                                        const CaseOptions& options) const = 0;
  /// Figures of the machine that the kernel needs and --set does not give, as --set has them.
  [[nodiscard]] virtual std::vector<std::string> machine_figures() const { return {}; }
};

struct CalibrationWorkload {
  std::string_view name;
  std::string_view summary;
  std::uint32_t cards;  ///< without --ep
  std::unique_ptr<CalibrationCase> (*make)();
};

/// In the order in which list shows them.
[[nodiscard]] std::span<const CalibrationWorkload> calibration_workloads();
/// Null where the name is none of them.
[[nodiscard]] const CalibrationWorkload* find_calibration_workload(std::string_view name);

}  // namespace npu::orch
