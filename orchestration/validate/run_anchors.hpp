// Runs anchors: a process of npusim for each run, several at once.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "orchestration/validate/validation.hpp"

namespace npu::orch {

struct AnchorRuns {
  std::string executable;  ///< npusim
  unsigned jobs = 1;       ///< processes at once
  /// Called when a run has ended: how many of all have.
  std::function<void(std::size_t done, std::size_t all)> on_progress = {};
};

/// A result for every anchor. Anchors of one platform, workload and args share a run, in timing mode unless args name
/// another. What fails says why in its result. Throws Interrupted where a signal ends this process, with no process
/// left behind, and ConfigError where processes or their directory cannot be made.
[[nodiscard]] std::vector<AnchorResult> run_anchors(const std::vector<Anchor>& anchors, const AnchorRuns& runs);

/// The number at a path of keys and array positions, "kernel.pipe_us.mte2" or "cards.0.effective", in JSON text.
/// Throws ConfigError, saying which key is missing, where it is none.
[[nodiscard]] double figure_at(std::string_view json, std::string_view path);

}  // namespace npu::orch
