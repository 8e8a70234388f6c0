// `run gemm`, `run copy`, ...: a calibration kernel with the plan that its flags give.
#include "isa/encoding/object_file.hpp"
#include "isa/errors.hpp"
#include "orchestration/calibration/workload.hpp"
#include "orchestration/cli/calibration.hpp"
#include "orchestration/cli/case_source.hpp"
#include "orchestration/cli/commands.hpp"
#include "orchestration/cli/run_record.hpp"
#include "orchestration/host/kernel_program.hpp"
#include "traces/output_file.hpp"

namespace npu::cli {
namespace {

/// The flags of the plan, and those of --tile: NAME=VALUE for any field, a plain value for the field called tile.
std::vector<orch::FlagText> plan_flags_of(const Options& o) {
  std::vector<orch::FlagText> flags = o.plan_flags;
  for (const std::string& text : o.tiles) {
    const std::size_t equals = text.find('=');
    const std::string name = equals == std::string::npos ? "tile" : text.substr(0, equals);
    const std::string prefix = o.workload + ".";
    flags.push_back({name.starts_with(prefix) ? name.substr(prefix.size()) : name,
                     equals == std::string::npos ? text : text.substr(equals + 1)});
  }
  return flags;
}

void save_object(const std::filesystem::path& directory, const kernels::Kernel& kernel, const model::Machine& machine) {
  make_directory(directory, "--out");
  traces::OutputFile file{(directory / (kernel.object.name + ".npuo")).string()};
  file.write(isa::encode(kernel.object, machine.arch.name));
  file.finish();
}

int simulate_case(const Options& o, const orch::CalibrationCase& calibration, std::uint32_t cards, RunRecord& record) {
  const Stopwatch preparation;
  orch::RunReport& report = record.report();
  const model::Machine& machine = *report.machine;
  const kernels::Kernel kernel = calibration.build(machine.arch, cards);
  if (o.compile_only) {
    if (o.out) save_object(std::filesystem::path{*o.out} / "kernels", kernel, machine);
    return finish_compile(o, fmt::format("kernel {} of {} blocks verified", kernel.object.name, kernel.blocks));
  }
  const bool computes = o.mode != model::Mode::Timing;
  const orch::CaseOptions options{.cards = cards,
                                  .seed = o.seed.value_or(0),
                                  .values = computes,
                                  .expected = computes && !o.skip_golden,
                                  .threads = processors()};
  orch::KernelProgram program{
      kernel.object,    kernel.blocks, calibration.values(kernel, options), machine, record.system_options(cards),
      kernel.sync_start};
  record.traces().check_scope();
  record.accept();
  report.cost.prepare_s = preparation.seconds();
  record.simulate(
      cards, [&] { program.run(); }, [&] { return program.stats(); });
  if (options.expected) report.outputs = program.compare();
  if (o.save_data) {
    const std::string path = (std::filesystem::path{*o.save_data} / "actual.safetensors").string();
    orch::save_kernel_values(path, kernel.object, program.values(), program.results());
  }
  return record.finish();
}

void refuse_other_flags(const Options& o) {
  const auto refuse = [&](bool given, std::string_view flag, std::string_view whose) {
    if (given)
      throw config_error("{} belongs to {}; npusim help run {} shows those of {}", flag, whose, o.workload, o.workload);
  };
  constexpr std::string_view kLayer = "the workloads of a layer", kFile = "program files (.npu, .npuo)";
  refuse(o.preset.has_value(), "--preset", kLayer);
  refuse(o.layer_id.has_value(), "--layer-id", kLayer);
  refuse(o.batch.has_value(), "--batch", kLayer);
  refuse(o.seq.has_value(), "--seq", kLayer);
  refuse(o.start_pos.has_value(), "--start-pos", kLayer);
  refuse(o.all_experts, "--all-experts", kLayer);
  refuse(o.data.has_value(), "--data", "workloads of a layer and program files");
  refuse(!o.args.empty(), "--args", kFile);
  refuse(o.blocks.has_value(), "--blocks", kFile);
}

}  // namespace

CalibrationSetup set_up_calibration(const Options& o) {
  const orch::CalibrationWorkload* workload = orch::find_calibration_workload(o.workload);
  refuse_other_flags(o);
  CalibrationSetup setup{workload->make(), card_count(o, workload->cards), {}};
  orch::take_flags(o.workload, setup.calibration->fields(), plan_flags_of(o));
  std::vector<std::string> figures = o.machine_overrides;
  for (const std::string& figure : setup.calibration->machine_figures()) {
    const std::string key = figure.substr(0, figure.find('=') + 1);
    const auto gives = [&](const std::string& given) { return given.starts_with(key); };
    if (std::none_of(o.machine_overrides.begin(), o.machine_overrides.end(), gives)) figures.push_back(figure);
  }
  setup.machine = model::load_machine(o.platform, figures);
  return setup;
}

int run_calibration(const Options& o) {
  const CalibrationSetup setup = set_up_calibration(o);
  RunRecord record{o, setup.machine, o.workload};
  return record.watch([&] { return simulate_case(o, *setup.calibration, setup.cards, record); });
}

}  // namespace npu::cli
