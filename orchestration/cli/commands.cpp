#include "orchestration/cli/commands.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "isa/encoding/object_file.hpp"
#include "isa/errors.hpp"
#include "isa/text/assembler.hpp"
#include "isa/text/disassembler.hpp"
#include "orchestration/cli/case_source.hpp"
#include "orchestration/data/mapped_file.hpp"
#include "orchestration/data/presets.hpp"
#include "orchestration/host/layer_program.hpp"

namespace npu::cli {
namespace {

void write_file(const std::string& path, std::span<const char> bytes) {
  std::ofstream file{path, std::ios::binary};
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.flush();
  if (!file) throw config_error("{}: cannot be written", path);
}

constexpr double kMarginal = 0.85;  ///< of a space: little room for larger tiles

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
  const orch::LayerProgram program{
      workload, source.config, machine, {.cards = source.config.ranks, .start_skew_us = {}}};
  fmt::print("{:20} {:5} {:>9} {:>9} {:>7} {:>9}  {:8} {}\n", "kernel", "space", "used", "limit", "share", "head-room",
             "verdict", "largest tile");
  for (const auto& [name, kernel] : program.kernels().all()) {
    for (std::size_t s = 0; s < isa::kSpaceCount; ++s) {
      const auto space = static_cast<isa::Space>(s);
      std::uint64_t used = 0;
      const isa::Allocation* largest = nullptr;
      for (const isa::Allocation& a : kernel.memory_map) {
        if (a.space != space) continue;
        used = std::max(used, std::uint64_t{a.offset} + a.bytes);
        if (largest == nullptr || a.bytes > largest->bytes) largest = &a;
      }
      if (largest == nullptr) continue;
      // A kernel that is over a limit does not build: its ProgramError has named it.
      const std::uint64_t limit = machine.arch.buffer(space).capacity.count();
      const double share = static_cast<double>(used) / static_cast<double>(limit);
      fmt::print("{:20} {:5} {:>9} {:>9} {:>6.1f}% {:>9}  {:8} {} ({} bytes)\n", name, isa::name_of(space), used, limit,
                 100.0 * share, limit - used, share > kMarginal ? "MARGINAL" : "fit", largest->name, largest->bytes);
    }
  }
  return 0;
}

int assemble_file(const Options& o) {
  const model::Machine machine = model::load_machine(o.platform, o.machine_overrides);
  const auto file = orch::MappedFile::open(o.file);
  const std::string_view text{reinterpret_cast<const char*>(file->bytes().data()), file->bytes().size()};
  const auto object = isa::assemble(text, o.file, machine.arch);
  const auto bytes = isa::encode(object, machine.arch.name);
  write_file(o.output, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  return 0;
}

int disassemble_file(const Options& o) {
  const auto file = orch::MappedFile::open(o.file);
  const std::string text = isa::to_text(isa::decode(file->bytes(), o.file));
  if (o.output.empty()) {
    fmt::print("{}", text);
  } else {
    write_file(o.output, text);
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
