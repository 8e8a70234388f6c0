// decode-step: layers back to back.
#include <algorithm>
#include <array>
#include <charconv>

#include "isa/errors.hpp"
#include "orchestration/data/parallel.hpp"
#include "orchestration/data/presets.hpp"
#include "orchestration/data/stopwatch.hpp"
#include "orchestration/experiment/case_source.hpp"
#include "orchestration/experiment/model_flags.hpp"
#include "orchestration/experiment/tile_flag.hpp"
#include "orchestration/host/step_program.hpp"

namespace npu::orch {
namespace {

constexpr std::string_view kName = "decode-step";
constexpr std::uint32_t kDefaultLayers = 4;  ///< every attention kind is among the first four of a model

/// "0-3" or "2", inside the model's layers.
LayerRange parse_layers(const std::string& text, const std::string& preset, std::uint32_t layers) {
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

class StepExperiment final : public Experiment {
 public:
  StepExperiment(const Request& request, const model::Machine& machine)
      : machine_{machine},
        source_{open_case(request, find_workload("decode-layer"), 0)},
        plans_{plan_choices(request.flags)} {
    const std::uint32_t count = source_.config.layers;
    const std::optional<std::string> layers = request.flags.text("--layers");
    step_ = {.layers = layers ? parse_layers(*layers, source_.preset, count)
                              : LayerRange{0, std::min(kDefaultLayers, count) - 1},
             .share_weights = request.flags.has("--share-weights"),
             .seed = request.seed.value_or(0),
             .start_pos = source_.start_pos};
    source_.config.layer_id = step_.layers.first;
    fit_to_positions(source_.config, step_.layers, source_.start_pos, source_.given);
  }

  [[nodiscard]] std::uint32_t cards() const override { return source_.config.ranks; }
  void describe(RunReport& report) const override { describe_case(report, source_, plans_); }

  void build(const model::SystemOptions& options, Purpose purpose) override {
    program_.emplace(source_.config, step_, machine_, options, kernel_options(purpose, plans_));
  }
  [[nodiscard]] const std::map<std::string, kernels::Kernel>& kernels() const override {
    return program_->kernels().all();
  }
  [[nodiscard]] const std::map<std::string, UnbuiltKernel>& unbuilt() const override {
    return program_->kernels().unbuilt();
  }
  [[nodiscard]] std::size_t task_count() const override { return program_->task_count(); }

  void load() override { program_->load(); }
  void run() override { program_->run(); }
  [[nodiscard]] model::RunStats stats() const override { return program_->stats(); }
  void add_facts(RunReport& report) const override {
    if (report.timed) report.layers = program_->layer_times();
  }
  [[nodiscard]] std::vector<Comparison> compare() override {
    const Stopwatch watch;
    auto outcomes = program_->compare(processors());
    reference_seconds_ += watch.seconds();
    return outcomes;
  }

 private:
  const model::Machine& machine_;
  CaseSource source_;
  PlanChoices plans_;
  StepOptions step_;
  std::optional<StepProgram> program_;
};

constexpr std::string_view kGroup = "Layers of decode-step";
constexpr std::array kFlags{
    kPresetFlag,
    kBatchFlag,
    kSeqFlag,
    kStartPosFlag,
    kAllExpertsFlag,
    kTileFlag,
    FlagSpec{.word = "--layers",
             .kind = FlagKind::Text,
             .value = "FIRST-LAST",
             .group = kGroup,
             .summary = "layers that run back to back, FIRST-LAST or one number (default: the first four)",
             .of_fit = true},
    FlagSpec{.word = "--share-weights",
             .group = kGroup,
             .summary = "one layer's weights serve all layers, so that a card holds no more than one layer's",
             .of_fit = true}};

std::vector<WorkloadName> names() { return {{kName, "layers back to back, each from the result of the one before"}}; }

std::unique_ptr<Experiment> open(const Request& request, const model::Machine& machine) {
  return std::make_unique<StepExperiment>(request, machine);
}

}  // namespace

const Family& step_family() {
  static constexpr Family kFamily{kName,  names,   [](std::string_view name) { return name == kName; },
                                  kFlags, nullptr, open};
  return kFamily;
}

}  // namespace npu::orch
