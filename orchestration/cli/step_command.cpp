#include <algorithm>
#include <charconv>
#include <string_view>

#include "isa/errors.hpp"
#include "orchestration/cli/case_source.hpp"
#include "orchestration/cli/commands.hpp"
#include "orchestration/cli/run_record.hpp"
#include "orchestration/host/step_program.hpp"

namespace npu::cli {
namespace {

constexpr std::uint32_t kDefaultLayers = 4;  ///< every attention kind is among the first four of a model

/// "0-3" or "2", inside the model's layers.
orch::LayerRange parse_layers(const std::string& text, const std::string& preset, std::uint32_t layers) {
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

int simulate_step(const Options& o, const CaseSource& source, orch::LayerRange layers, RunRecord& record) {
  const Stopwatch preparation;
  const std::uint32_t cards = source.config.ranks;
  orch::StepProgram program{source.config,
                            {layers, o.share_weights, o.seed.value_or(0), source.start_pos},
                            *record.report().machine,
                            record.system_options(cards)};
  record.traces().check_scope();
  if (o.compile_only) {
    return finish_compile(
        o, fmt::format("{} kernels, {} tasks of {} layers on {} cards verified and allocated",
                       program.kernels().all().size(), program.task_count(), layers.last - layers.first + 1, cards));
  }
  record.accept();
  program.load();
  orch::RunReport& report = record.report();
  report.cost.prepare_s = preparation.seconds();
  record.simulate(
      program.task_count(), [&] { program.run(); }, [&] { return program.stats(); });
  if (report.timed) report.layers = program.layer_times();
  if (!o.skip_golden && o.mode != model::Mode::Timing) {
    const Stopwatch golden;
    report.outputs = program.compare(processors());
    report.cost.golden_s = golden.seconds();
  }
  return record.finish();
}

}  // namespace

int run_step(const Options& o) {
  const model::Machine machine = model::load_machine(o.platform, o.machine_overrides);
  Options sizes = o;
  sizes.layer_id = 0;
  CaseSource source = open_case(sizes, orch::find_workload(o.workload));
  const std::uint32_t count = source.config.layers;
  const orch::LayerRange layers = o.layers ? parse_layers(*o.layers, source.preset, count)
                                           : orch::LayerRange{0, std::min(kDefaultLayers, count) - 1};
  source.config.layer_id = layers.first;
  orch::fit_to_positions(source.config, layers, source.start_pos, source.given);
  RunRecord record{o, machine, o.workload};
  record.describe(source);
  return record.watch([&] { return simulate_step(o, source, layers, record); });
}

}  // namespace npu::cli
