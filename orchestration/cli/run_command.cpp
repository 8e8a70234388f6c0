#include <algorithm>
#include <filesystem>

#include "isa/encoding/object_file.hpp"
#include "isa/errors.hpp"
#include "orchestration/cli/case_source.hpp"
#include "orchestration/cli/commands.hpp"
#include "orchestration/cli/run_output.hpp"
#include "orchestration/data/generator.hpp"
#include "orchestration/host/given_tensors.hpp"
#include "orchestration/host/layer_program.hpp"
#include "orchestration/host/reference_case.hpp"

namespace npu::cli {
namespace {

namespace fs = std::filesystem;
using orch::LayerCase;
using orch::LayerProgram;

bool holds_all(const LayerCase& layer, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const orch::TensorSpec* spec = orch::find_tensor(name);
    if (spec != nullptr && !spec->is_input() && !layer.expected.contains(name)) return false;
  }
  return true;
}

/// Results of the layer, and of the model's end where the case has its inputs; returns the seconds that they took.
double add_results(LayerCase& layer, bool of_layer, bool of_head) {
  const Stopwatch watch;
  if (of_layer) orch::add_reference_results(layer, processors());
  if (of_head && layer.inputs.contains("hc_head_fn")) orch::add_head_result(layer, processors());
  return watch.seconds();
}

/// Inputs, the intermediates that the workload starts from, and what its results are compared with.
LayerCase make_case(const Options& o, CaseSource& source, const orch::Workload& workload, const LayerProgram& program,
                    double& golden_s) {
  const bool timing = o.mode == model::Mode::Timing;  // nothing to compare
  const bool needs_reference = (!o.skip_golden && !timing) || program.needs_intermediates();
  if (!source.from_file) {
    orch::GenerateOptions generate;
    generate.seed = o.seed.value_or(0);
    generate.start_pos = o.start_pos;
    const auto& names = program.initial_tensors();
    const auto is_of_layer = [](std::string_view name) { return orch::tensor_spec(name).of_layer(); };
    // The model's end needs no layer in front of it; a saved case is whole.
    const bool tests_layer = std::any_of(workload.outputs.begin(), workload.outputs.end(),
                                         [&](const orch::OutputRule& output) { return is_of_layer(output.tensor); });
    const bool needs_layer = needs_reference && (tests_layer || o.save_data);
    generate.wanted = [&](std::string_view name) {
      return std::find(names.begin(), names.end(), name) != names.end() || (timing && orch::is_given_source(name)) ||
             (needs_layer && is_of_layer(name));
    };
    LayerCase layer = orch::generate_case(source.config, generate);
    golden_s = add_results(layer, needs_layer, needs_reference);
    return layer;
  }
  LayerCase layer = std::move(source.file);
  if (!needs_reference) return layer;
  orch::add_derived_results(layer, processors());
  const bool complete = holds_all(layer, program.initial_tensors());
  bool expects_any = o.skip_golden;
  for (const orch::OutputRule& output : workload.outputs) expects_any = expects_any || layer.expects(output.tensor);
  if (!complete || !expects_any) {
    // A file of inputs alone: all results from one source, never a mixture.
    layer.expected.clear();
    layer.changes.clear();
    golden_s = add_results(layer, true, true);
  }
  return layer;
}

void save_data(const fs::path& directory, const LayerCase& layer, const LayerProgram& program) {
  orch::save_case(layer, (directory / "expected.safetensors").string());
  LayerCase actual = layer;
  actual.changes.clear();
  actual.expected = program.results();
  orch::pools_to_changes(actual);
  orch::save_case(actual, (directory / "actual.safetensors").string());
}

/// One object file per kernel, which `disasm` lists and `run` takes.
void save_objects(const fs::path& directory, const orch::KernelStore& kernels, const model::Machine& machine) {
  fs::create_directories(directory);
  for (const auto& [name, kernel] : kernels.all()) {
    write_bytes(directory / (name + ".npuo"), isa::encode(kernel.object, machine.arch.name));
  }
}

}  // namespace

int run_workload(const Options& o) {
  if (is_program_file(o.workload)) return run_program_file(o);
  if (!o.args.empty())
    throw config_error("--args belongs to program files (.npu, .npuo); {} brings its own", o.workload);
  if (o.blocks) throw config_error("--blocks belongs to program files (.npu, .npuo); {} knows its own", o.workload);
  const Stopwatch preparation;
  const orch::Workload& workload = orch::find_workload(o.workload);
  if (workload.name == orch::kStepWorkload) return run_step(o);
  const model::Machine machine = model::load_machine(o.platform, o.machine_overrides);
  CaseSource source = open_case(o);
  Progress progress;
  Traces traces{o, machine.params.clock.core_mhz};
  LayerProgram program{workload, source.config, machine, system_options(o, source.config.ranks, traces, progress)};
  traces.check_scope();
  if (o.compile_only) {
    if (o.out) save_objects(make_directory(o.out, o.workload) / "kernels", program.kernels(), machine);
    return finish_compile(o, fmt::format("{} kernels, {} tasks on {} cards verified and allocated",
                                         program.kernels().all().size(), program.task_count(), source.config.ranks));
  }
  double golden_s = 0;
  const LayerCase layer = make_case(o, source, workload, program, golden_s);
  const fs::path directory = make_directory(o.out, o.workload);
  program.load(layer);

  progress.expect(program.task_count());
  const double prepare_s = preparation.seconds() - golden_s;
  orch::SimulatorCost cost = measured([&] { program.run(); });
  cost.prepare_s = prepare_s;
  cost.golden_s = golden_s;
  traces.finish();
  orch::RunReport report = make_report(o, machine, program.stats(), cost);
  add_layer(report, source, directory);
  if (!o.skip_golden && o.mode != model::Mode::Timing) report.outputs = program.compare(layer);
  if (o.save_data) save_data(make_directory(o.save_data, o.workload), layer, program);
  return finish_run(o, report, directory);
}

}  // namespace npu::cli
