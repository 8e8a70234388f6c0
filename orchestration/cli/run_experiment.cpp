// `run`: the walk of every experiment.
#include <filesystem>

#include "isa/encoding/object_file.hpp"
#include "orchestration/cli/commands.hpp"
#include "orchestration/cli/open_experiment.hpp"
#include "orchestration/cli/output_paths.hpp"
#include "orchestration/cli/run_record.hpp"
#include "orchestration/data/stopwatch.hpp"
#include "traces/output_file.hpp"

namespace npu::cli {
namespace {

namespace fs = std::filesystem;

/// One object file per kernel in `kernels` of the directory, which `disasm` lists and `run` takes.
void save_objects(const Options& o, const orch::Experiment& experiment, const model::Machine& machine) {
  const fs::path directory = fs::path{*o.out} / "kernels";
  const auto path_of = [&](const std::string& kernel) { return (directory / (kernel + ".npuo")).string(); };
  CommandPaths paths = paths_of(o);
  for (const auto& [name, kernel] : experiment.kernels()) {
    paths.outputs.push_back({fmt::format("the object file {}", path_of(name)), path_of(name)});
  }
  refuse_shared_paths(paths);
  make_directory(directory, "--out");
  for (const auto& [name, kernel] : experiment.kernels()) {
    traces::OutputFile file{path_of(name)};
    file.write(isa::encode(kernel.object, machine.arch.name));
    file.finish();
  }
}

std::string counted(std::size_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

int compile(const Options& o, const orch::Experiment& experiment, const model::Machine& machine) {
  if (o.out) save_objects(o, experiment, machine);
  return finish_compile(o, fmt::format("{}, {} on {} verified", counted(experiment.kernels().size(), "kernel"),
                                       counted(experiment.task_count(), "task"), counted(experiment.cards(), "card")));
}

int simulate(const Options& o, orch::Experiment& experiment, RunRecord& record) {
  const orch::Stopwatch preparation;
  orch::RunReport& report = record.report();
  experiment.build(record.system_options(experiment.cards()),
                   o.compile_only ? orch::Purpose::Compile : orch::Purpose::Run);
  record.traces().check_scope();
  if (o.compile_only) return compile(o, experiment, *report.machine);
  experiment.load();
  report.cost.prepare_s = preparation.seconds() - experiment.reference_seconds();
  record.accept();
  record.simulate(
      experiment.task_count(), [&] { experiment.run(); }, [&] { return experiment.stats(); });
  experiment.add_facts(report);
  const bool computes = o.mode != model::Mode::Timing;
  if (computes && !o.skip_golden) report.outputs = experiment.compare();
  report.cost.golden_s = experiment.reference_seconds();
  if (const auto directory = o.flags.text("--save-data")) experiment.save(*directory);
  if (computes && !o.json) print_text(Stream::Out, experiment.shown_results());
  return record.finish();
}

}  // namespace

int run_experiment(const Options& o) {
  const model::Machine machine = machine_of(o);
  const auto experiment = open_experiment(o, machine);
  RunRecord record{o, machine};
  experiment->describe(record.report());
  return record.watch([&] { return simulate(o, *experiment, record); });
}

}  // namespace npu::cli
