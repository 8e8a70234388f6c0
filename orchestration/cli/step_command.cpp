#include <charconv>
#include <string_view>
#include <utility>

#include "isa/errors.hpp"
#include "orchestration/cli/case_source.hpp"
#include "orchestration/cli/commands.hpp"
#include "orchestration/cli/run_output.hpp"
#include "orchestration/host/step_program.hpp"

namespace npu::cli {
namespace {

/// "0-3" or "2", inside the model's layers.
std::pair<std::uint32_t, std::uint32_t> parse_layers(const std::string& text, const std::string& preset,
                                                     std::uint32_t layers) {
  const char* at = text.data();
  const char* const end = at + text.size();
  const auto number = [&] {
    std::uint32_t value = 0;
    const auto [next, error] = std::from_chars(at, end, value);
    if (error != std::errc{}) throw config_error("--layers {}: expected FIRST-LAST, for example 0-3", text);
    at = next;
    return value;
  };
  const std::uint32_t first = number();
  std::uint32_t last = first;
  if (at != end && *at == '-') {
    ++at;
    last = number();
  }
  if (at != end) throw config_error("--layers {}: expected FIRST-LAST, for example 0-3", text);
  if (first > last) throw config_error("--layers {}: the first layer comes after the last", text);
  if (last >= layers) {
    throw config_error("--layers {}: there is no layer {}; preset {} has {} layers, choose from 0-{}", text, last,
                       preset, layers, layers - 1);
  }
  return {first, last};
}

}  // namespace

int run_step(const Options& o) {
  const Stopwatch preparation;
  const model::Machine machine = model::load_machine(o.platform, o.machine_overrides);
  Options sizes = o;
  sizes.layer_id = 0;
  CaseSource source = open_case(sizes);
  const auto [first, last] = parse_layers(*o.layers, source.preset, source.config.layers);
  source.config.layer_id = first;
  Progress progress;
  Traces traces{o, machine.params.clock.core_mhz};
  orch::StepProgram program{source.config,
                            {first, last, o.share_weights, o.seed.value_or(0), o.start_pos},
                            machine,
                            system_options(o, source.config.ranks, traces, progress)};
  traces.check_scope();
  if (o.compile_only) {
    return finish_compile(
        o, fmt::format("{} kernels, {} tasks of {} layers on {} cards verified and allocated",
                       program.kernels().all().size(), program.task_count(), last - first + 1, source.config.ranks));
  }
  const std::filesystem::path directory = make_directory(o.out, o.workload);
  program.load();

  progress.expect(program.task_count());
  const double prepare_s = preparation.seconds();
  orch::SimulatorCost cost = measured([&] { program.run(); });
  cost.prepare_s = prepare_s;
  traces.finish();
  orch::RunReport report = make_report(o, machine, program.stats(), cost);
  add_layer(report, source, directory);
  if (report.timed) report.layers = program.layer_times();
  if (!o.skip_golden && o.mode != model::Mode::Timing) {
    const Stopwatch golden;
    report.outputs = program.compare(processors());
    report.cost.golden_s = golden.seconds();
  }
  return finish_run(o, report, directory);
}

}  // namespace npu::cli
