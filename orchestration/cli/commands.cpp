#include "orchestration/cli/commands.hpp"

#include "isa/encoding/object_file.hpp"
#include "isa/errors.hpp"
#include "isa/text/assembler.hpp"
#include "isa/text/disassembler.hpp"
#include "orchestration/cli/case_source.hpp"
#include "orchestration/cli/run_output.hpp"
#include "orchestration/data/mapped_file.hpp"
#include "orchestration/data/presets.hpp"
#include "orchestration/host/layer_program.hpp"

namespace npu::cli {
namespace {

constexpr double kMarginal = 0.85;  ///< of a space: little room for larger tiles
constexpr int kDoesNotFit = 3;      ///< exit status

}  // namespace

int list() {
  fmt::print("workloads\n");
  for (const orch::Workload& workload : orch::workloads()) fmt::print("  {:16} {}\n", workload.name, workload.summary);
  fmt::print("presets\n");
  for (const std::string_view name : orch::preset_names()) {
    const auto c = orch::preset(name);
    fmt::print("  {:16} {} layers, hidden {}, {} heads x {}, {} experts on {} ranks, batch {} x {}\n", name, c.layers,
               c.hidden, c.heads, c.head_dim, c.experts, c.ranks, c.batch, c.seq);
  }
  fmt::print("platforms\n  {:16} one card: 24 cube and 48 vector cores; alias a2a3sim\n", "a2a3");
  fmt::print("protocols\n  {:16} expert exchange by published counts\n", "push-count");
  return 0;
}

int fit(const Options& o) {
  const orch::Workload& workload = orch::find_workload(o.workload);
  const model::Machine machine = model::load_machine(o.platform, o.machine_overrides);
  const CaseSource source = open_case(o);
  const orch::LayerProgram program{workload,
                                   source.config,
                                   machine,
                                   {.cards = source.config.ranks, .start_skew_us = {}},
                                   orch::KernelStore::Oversized::Measure};
  fmt::print("{:20} {:5} {:>9} {:>9} {:>7} {:>9}  {:8} {}\n", "kernel", "space", "used", "limit", "share", "head-room",
             "verdict", "first to cut");
  bool any_over = false;
  for (const auto& [name, kernel] : program.kernels().all()) {
    for (const isa::SpaceBudget& b : isa::budgets_of(kernel.memory_map, machine.arch)) {
      const double share = static_cast<double>(b.used) / static_cast<double>(b.limit);
      const std::string_view verdict = b.is_over() ? "OVER" : share > kMarginal ? "MARGINAL" : "fit";
      const auto head_room = static_cast<std::int64_t>(b.limit) - static_cast<std::int64_t>(b.used);
      any_over = any_over || b.is_over();
      fmt::print("{:20} {:5} {:>9} {:>9} {:>6.1f}% {:>9}  {:8} {}\n", name, isa::name_of(b.space), b.used, b.limit,
                 100.0 * share, head_room, verdict, isa::first_cut(b));
    }
  }
  return any_over ? kDoesNotFit : 0;
}

int assemble_file(const Options& o) {
  const model::Machine machine = model::load_machine(o.platform, o.machine_overrides);
  const auto file = orch::MappedFile::open(o.file);
  const std::string_view text{reinterpret_cast<const char*>(file->bytes().data()), file->bytes().size()};
  const auto object = isa::assemble(text, o.file, machine.arch);
  write_bytes(o.output, isa::encode(object, machine.arch.name));
  return 0;
}

int disassemble_file(const Options& o) {
  const auto file = orch::MappedFile::open(o.file);
  const std::string text = isa::to_text(isa::decode(file->bytes(), o.file));
  if (o.output.empty()) {
    fmt::print("{}", text);
  } else {
    write_text(o.output, text);
  }
  return 0;
}

int show_config(const Options& o) {
  const model::Machine machine = model::load_machine(o.platform, o.machine_overrides);
  for (const model::Figure& f : machine.figures) {
    fmt::print("{:36} {:>14} {:18} {:10} {}{}\n", f.key, f.value, f.unit, f.confidence, f.source,
               f.overridden ? " (overridden)" : "");
  }
  return 0;
}

}  // namespace npu::cli
