// `fit`: what kernels need of the on-chip spaces, without a run.
#include "isa/tile_rules.hpp"
#include "orchestration/cli/calibration.hpp"
#include "orchestration/cli/case_source.hpp"
#include "orchestration/cli/commands.hpp"
#include "orchestration/cli/console.hpp"
#include "orchestration/cli/failure.hpp"
#include "orchestration/cli/program_file.hpp"
#include "orchestration/host/layer_program.hpp"

namespace npu::cli {
namespace {

constexpr double kMarginal = 0.85;  ///< of a space: little room for larger tiles

using MemoryMap = std::vector<isa::Allocation>;

/// The tiles of a user's program, where they start; what registers add to that is known at run time alone.
MemoryMap tiles_of(const isa::KernelObject& object) {
  MemoryMap map;
  for (const auto* part : {&object.cube, &object.vector}) {
    if (!*part) continue;
    for (std::size_t i = 0; i < (*part)->tiles.size(); ++i) {
      const isa::TileDesc& tile = (*part)->tiles[i];
      map.push_back({tile.space, (*part)->tile_names.at(i), tile.offset,
                     static_cast<std::uint32_t>(isa::footprint(tile, tile.rows, tile.cols)), tile.dtype, tile.rows,
                     tile.cols});
    }
  }
  return map;
}

MemoryMap tiles_of(const orch::CalibrationCase& calibration, const isa::ArchSpec& arch, std::uint32_t cards) {
  try {
    return calibration.build(arch, cards).memory_map;
  } catch (const isa::CapacityError& error) {
    return error.memory_map;
  }
}

std::string verdict_of(const isa::SpaceBudget& budget, double share) {
  if (budget.is_over()) return coloured(Stream::Out, Colour::Red, "OVER    ");
  if (share > kMarginal) return coloured(Stream::Out, Colour::Yellow, "MARGINAL");
  return "fit     ";
}

/// Prints a row per space; whether one is over.
bool print_budgets(std::string_view kernel, const MemoryMap& map, const isa::ArchSpec& arch) {
  bool any_over = false;
  for (const isa::SpaceBudget& b : isa::budgets_of(map, arch)) {
    const double share = static_cast<double>(b.used) / static_cast<double>(b.limit);
    const auto head_room = static_cast<std::int64_t>(b.limit) - static_cast<std::int64_t>(b.used);
    any_over = any_over || b.is_over();
    print(Stream::Out, "{:20} {:5} {:>9} {:>9} {:>6.1f}% {:>9}  {} {}\n", kernel, isa::name_of(b.space), b.used,
          b.limit, 100.0 * share, head_room, verdict_of(b, share), isa::first_cut(b));
  }
  return any_over;
}

}  // namespace

int fit(const Options& o) {
  model::Machine machine = model::load_machine(o.platform, o.machine_overrides);
  std::vector<std::pair<std::string, MemoryMap>> kernels;
  if (is_program_file(o.workload)) {
    refuse_layer_flags(o);
    const isa::KernelObject object = read_program(o.workload, machine, Demand::Sound);
    kernels.emplace_back(object.name, tiles_of(object));
  } else if (orch::find_calibration_workload(o.workload) != nullptr) {
    const CalibrationSetup setup = set_up_calibration(o);
    machine = setup.machine;
    kernels.emplace_back(o.workload, tiles_of(*setup.calibration, machine.arch, setup.cards));
  } else {
    const orch::Workload& workload = orch::find_workload(o.workload);
    const CaseSource source = open_case(o, workload);
    const orch::LayerProgram program{workload,
                                     source.config,
                                     machine,
                                     {.cards = source.config.ranks, .start_skew_us = {}},
                                     orch::KernelStore::Oversized::Measure};
    for (const auto& [name, kernel] : program.kernels().all()) kernels.emplace_back(name, kernel.memory_map);
  }
  print(Stream::Out, "{:20} {:5} {:>9} {:>9} {:>7} {:>9}  {:8} {}\n", "kernel", "space", "used", "limit", "share",
        "head-room", "verdict", "first to cut");
  bool any_over = false;
  for (const auto& [name, map] : kernels) any_over = print_budgets(name, map, machine.arch) || any_over;
  return any_over ? kIllegalProgram : kPass;
}

}  // namespace npu::cli
