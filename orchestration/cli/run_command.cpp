#include <algorithm>
#include <filesystem>

#include "isa/encoding/object_file.hpp"
#include "isa/errors.hpp"
#include "orchestration/calibration/workload.hpp"
#include "orchestration/cli/case_source.hpp"
#include "orchestration/cli/commands.hpp"
#include "orchestration/cli/program_file.hpp"
#include "orchestration/cli/run_record.hpp"
#include "orchestration/data/generator.hpp"
#include "orchestration/host/given_tensors.hpp"
#include "orchestration/host/layer_program.hpp"
#include "orchestration/host/reference_case.hpp"
#include "traces/output_file.hpp"

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
    generate.start_pos = source.start_pos;
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
  make_directory(directory, "--out");
  for (const auto& [name, kernel] : kernels.all()) {
    traces::OutputFile file{(directory / (name + ".npuo")).string()};
    file.write(isa::encode(kernel.object, machine.arch.name));
    file.finish();
  }
}

int simulate_layer(const Options& o, CaseSource& source, const orch::Workload& workload, RunRecord& record) {
  const Stopwatch preparation;
  orch::RunReport& report = record.report();
  const std::uint32_t cards = source.config.ranks;
  LayerProgram program{workload, source.config, *report.machine, record.system_options(cards)};
  record.traces().check_scope();
  if (o.compile_only) {
    if (o.out) save_objects(fs::path{*o.out} / "kernels", program.kernels(), *report.machine);
    return finish_compile(o, fmt::format("{} kernels, {} tasks on {} cards verified and allocated",
                                         program.kernels().all().size(), program.task_count(), cards));
  }
  const LayerCase layer = make_case(o, source, workload, program, report.cost.golden_s);
  record.accept();
  program.load(layer);
  report.cost.prepare_s = preparation.seconds() - report.cost.golden_s;
  record.simulate(
      program.task_count(), [&] { program.run(); }, [&] { return program.stats(); });
  if (!o.skip_golden && o.mode != model::Mode::Timing) report.outputs = program.compare(layer);
  if (o.save_data) save_data(*o.save_data, layer, program);
  return record.finish();
}

}  // namespace

int run_workload(const Options& o) {
  if (is_program_file(o.workload)) return run_program_file(o);
  if (orch::find_calibration_workload(o.workload) != nullptr) return run_calibration(o);
  if (!o.args.empty())
    throw config_error("--args belongs to program files (.npu, .npuo); {} brings its own", o.workload);
  if (o.blocks) throw config_error("--blocks belongs to program files (.npu, .npuo); {} knows its own", o.workload);
  const orch::Workload& workload = orch::find_workload(o.workload);
  if (workload.name == orch::kStepWorkload) return run_step(o);
  const model::Machine machine = model::load_machine(o.platform, o.machine_overrides);
  CaseSource source = open_case(o, workload);
  RunRecord record{o, machine, o.workload};
  record.describe(source);
  return record.watch([&] { return simulate_layer(o, source, workload, record); });
}

}  // namespace npu::cli
