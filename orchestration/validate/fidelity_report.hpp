// The page that says how far the model is from silicon: every row, good and bad, and a plot.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/config/machine.hpp"
#include "orchestration/validate/validation.hpp"

namespace npu::orch {

/// Markdown: totals, pairs, all rows, what did not run and why, and the figures of the machine with their sources.
/// `plot` is the name of the plot's file.
[[nodiscard]] std::string fidelity_page(const std::vector<AnchorResult>& rows, const model::Machine& machine,
                                        std::string_view plot);
/// SVG: simulated against measured on logarithmic axes, a mark for each row in microseconds, coloured by workload.
[[nodiscard]] std::string fidelity_plot(const std::vector<AnchorResult>& rows);

}  // namespace npu::orch
