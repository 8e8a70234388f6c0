// `fit`: what kernels need of the on-chip spaces, without a run.
#include <algorithm>
#include <map>

#include "isa/builder/capacity.hpp"
#include "orchestration/cli/commands.hpp"
#include "orchestration/cli/console.hpp"
#include "orchestration/cli/failure.hpp"
#include "orchestration/cli/open_experiment.hpp"

namespace npu::cli {
namespace {

constexpr double kMarginal = 0.85;  ///< of a space: little room for larger tiles

std::string verdict_of(const isa::SpaceBudget& budget, double share) {
  if (budget.is_over()) return coloured(Stream::Out, Colour::Red, "OVER    ");
  if (share > kMarginal) return coloured(Stream::Out, Colour::Yellow, "MARGINAL");
  return "fit     ";
}

/// Prints a row per space; whether one is over.
bool print_budgets(std::string_view kernel, std::size_t width, const std::vector<isa::Allocation>& map,
                   const isa::ArchSpec& arch) {
  bool any_over = false;
  for (const isa::SpaceBudget& b : isa::budgets_of(map, arch)) {
    const double share = static_cast<double>(b.used) / static_cast<double>(b.limit);
    const auto head_room = static_cast<std::int64_t>(b.limit) - static_cast<std::int64_t>(b.used);
    any_over = any_over || b.is_over();
    print(Stream::Out, "{:{}} {:5} {:>9} {:>9} {:>6.1f}% {:>9}  {} {}\n", kernel, width, isa::name_of(b.space), b.used,
          b.limit, 100.0 * share, head_room, verdict_of(b, share), isa::first_cut(b));
  }
  return any_over;
}

/// Says of a kernel that no budget can be given for why; the exit status that it leads to.
int print_refusal(const std::string& kernel, std::size_t width, const orch::UnbuiltKernel& unbuilt) {
  print(Stream::Out, "{:{}} {} {}\n", kernel, width, coloured(Stream::Out, Colour::Red, "REFUSED"), unbuilt.reason);
  return unbuilt.by_config ? kConfigError : kIllegalProgram;
}

/// The numbers that --tile can choose, as they are.
void print_plans(const orch::Experiment& experiment, std::size_t width) {
  bool headed = false;
  for (const auto& [name, kernel] : experiment.kernels()) {
    if (kernel.plan.empty()) continue;
    if (!headed)
      print(Stream::Out, "\n{:{}} {:14} {:>6}  {:58} {}\n", "plan", width, "field", "value", "range", "what");
    headed = true;
    for (const kernels::PlanValue& value : kernel.plan) {
      print(Stream::Out, "{:{}} {:14} {:>6}  {:58} {}\n", name, width, value.name, value.value,
            kernels::range_text(value.range, value.unit), value.doc);
    }
  }
}

}  // namespace

int fit(const Options& o) {
  const model::Machine machine = machine_of(o);
  const auto experiment = open_experiment(o, machine);
  experiment->build({.cards = experiment->cards(), .start_skew_us = {}}, orch::Purpose::Measure);
  std::map<std::string, std::vector<isa::Allocation>> measured;
  std::map<std::string, orch::UnbuiltKernel> refused;
  for (const auto& [name, kernel] : experiment->kernels()) measured.emplace(name, kernel.memory_map);
  for (const auto& [name, unbuilt] : experiment->unbuilt()) {
    if (unbuilt.memory_map.empty()) {
      refused.emplace(name, unbuilt);
    } else {
      measured.emplace(name, unbuilt.memory_map);
    }
  }
  std::size_t width = 20;
  for (const auto& [name, map] : measured) width = std::max(width, name.size());
  for (const auto& [name, unbuilt] : refused) width = std::max(width, name.size());
  print(Stream::Out, "{:{}} {:5} {:>9} {:>9} {:>7} {:>9}  {:8} {}\n", "kernel", width, "space", "used", "limit",
        "share", "head-room", "verdict", "first to cut");
  int status = kPass;
  for (const auto& [name, map] : measured) {
    if (print_budgets(name, width, map, machine.arch)) status = kIllegalProgram;
  }
  // What is wrong with the configuration comes before what is wrong with programs.
  for (const auto& [name, unbuilt] : refused) {
    const int refusal = print_refusal(name, width, unbuilt);
    if (status != kConfigError) status = refusal;
  }
  print_plans(*experiment, width);
  return status;
}

}  // namespace npu::cli
