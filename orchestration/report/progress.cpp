#include "orchestration/report/progress.hpp"

#include <fmt/format.h>

namespace npu::orch {

std::string progress_text(const model::RunProgress& now, std::size_t tasks, double elapsed_s) {
  const double share = tasks == 0 ? 0.0 : static_cast<double>(now.tasks_done) / static_cast<double>(tasks);
  std::string text = fmt::format("{:.0f} % of {} tasks, {:.1f} us simulated", 100.0 * share, tasks, now.simulated_us);
  if (share > 0) text += fmt::format(", about {:.0f} s left", elapsed_s * (1.0 - share) / share);
  return text;
}

}  // namespace npu::orch
