// The workloads of a layer: stages of one decode layer on the cards of its ranks.
#include <algorithm>
#include <array>

#include "isa/errors.hpp"
#include "orchestration/data/generator.hpp"
#include "orchestration/data/parallel.hpp"
#include "orchestration/data/presets.hpp"
#include "orchestration/data/stopwatch.hpp"
#include "orchestration/experiment/case_source.hpp"
#include "orchestration/experiment/data_flags.hpp"
#include "orchestration/experiment/model_flags.hpp"
#include "orchestration/experiment/tile_flag.hpp"
#include "orchestration/host/given_tensors.hpp"
#include "orchestration/host/layer_program.hpp"
#include "orchestration/host/reference_case.hpp"

namespace npu::orch {
namespace {

namespace fs = std::filesystem;

bool holds_all(const LayerCase& layer, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const TensorSpec* spec = find_tensor(name);
    if (spec != nullptr && !spec->is_input() && !layer.expected.contains(name)) return false;
  }
  return true;
}

class LayerExperiment final : public Experiment {
 public:
  LayerExperiment(const Request& request, const model::Machine& machine)
      : request_{request},
        machine_{machine},
        workload_{find_workload(request.workload)},
        source_{open_case(request, workload_, request.flags.number("--layer-id"))},
        plans_{plan_choices(request.flags)} {}

  [[nodiscard]] std::uint32_t cards() const override { return source_.config.ranks; }
  void describe(RunReport& report) const override { describe_case(report, source_, plans_); }

  void build(const model::SystemOptions& options, Purpose purpose) override {
    program_.emplace(workload_, source_.config, machine_, options, kernel_options(purpose, plans_));
  }
  [[nodiscard]] const std::map<std::string, kernels::Kernel>& kernels() const override {
    return program_->kernels().all();
  }
  [[nodiscard]] const std::map<std::string, UnbuiltKernel>& unbuilt() const override {
    return program_->kernels().unbuilt();
  }
  [[nodiscard]] std::size_t task_count() const override { return program_->task_count(); }

  void load() override {
    case_ = source_.from_file ? file_case() : generated_case();
    program_->load(case_);
  }
  void run() override { program_->run(); }
  [[nodiscard]] model::RunStats stats() const override { return program_->stats(); }
  [[nodiscard]] std::vector<Comparison> compare() override { return program_->compare(case_); }
  void save(const fs::path& directory) override {
    save_case(case_, (directory / "expected.safetensors").string());
    LayerCase actual = case_;
    actual.changes.clear();
    actual.expected = program_->results();
    pools_to_changes(actual);
    save_case(actual, (directory / "actual.safetensors").string());
  }

 private:
  [[nodiscard]] bool is_timing() const { return request_.mode == model::Mode::Timing; }  ///< nothing to compare
  /// Whether inputs alone do not suffice.
  [[nodiscard]] bool needs_reference() const {
    return (!request_.skip_golden && !is_timing()) || program_->needs_intermediates();
  }
  LayerCase generated_case();
  LayerCase file_case();
  /// Results of the layer, and of the model's end where the case has its inputs.
  void add_results(LayerCase& layer, bool of_layer, bool of_head);

  Request request_;
  const model::Machine& machine_;
  const Workload& workload_;
  CaseSource source_;
  PlanChoices plans_;
  std::optional<LayerProgram> program_;
  LayerCase case_;  ///< inputs, the intermediates that the workload starts from, and what its results are compared with
};

void LayerExperiment::add_results(LayerCase& layer, bool of_layer, bool of_head) {
  const Stopwatch watch;
  if (of_layer) add_reference_results(layer, processors());
  if (of_head && layer.inputs.contains("hc_head_fn")) add_head_result(layer, processors());
  reference_seconds_ += watch.seconds();
}

LayerCase LayerExperiment::generated_case() {
  GenerateOptions generate;
  generate.seed = request_.seed.value_or(0);
  generate.start_pos = source_.start_pos;
  const auto& names = program_->initial_tensors();
  const auto is_of_layer = [](std::string_view name) { return tensor_spec(name).of_layer(); };
  // The model's end needs no layer in front of it; a saved case is whole.
  const bool tests_layer = std::any_of(workload_.outputs.begin(), workload_.outputs.end(),
                                       [&](const OutputRule& output) { return is_of_layer(output.tensor); });
  const bool needs_layer = needs_reference() && (tests_layer || request_.flags.has(kSaveDataFlag.word));
  generate.wanted = [&](std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end() || (is_timing() && is_given_source(name)) ||
           (needs_layer && is_of_layer(name));
  };
  LayerCase layer = generate_case(source_.config, generate);
  add_results(layer, needs_layer, needs_reference());
  return layer;
}

LayerCase LayerExperiment::file_case() {
  LayerCase layer = std::move(source_.file);
  if (!needs_reference()) return layer;
  add_derived_results(layer, processors());
  const bool complete = holds_all(layer, program_->initial_tensors());
  bool expects_any = request_.skip_golden;
  for (const OutputRule& output : workload_.outputs) expects_any = expects_any || layer.expects(output.tensor);
  if (!complete || !expects_any) {
    // A file of inputs alone: all results from one source, never a mixture.
    layer.expected.clear();
    layer.changes.clear();
    add_results(layer, true, true);
  }
  return layer;
}

constexpr FlagSpec of_fit(FlagSpec spec) {
  spec.of_fit = true;
  return spec;
}

constexpr std::array kFlags{
    kPresetFlag,
    FlagSpec{.word = "--layer-id",
             .kind = FlagKind::Number,
             .value = "N",
             .group = "Sizes",
             .summary = "layer: decides attention kind and routing (default: 10, or the first layer of the workload's "
                        "attention kind)",
             .of_fit = true},
    kBatchFlag,
    kSeqFlag,
    kStartPosFlag,
    kAllExpertsFlag,
    kTileFlag,
    of_fit(kDataFlag),
    kSaveDataFlag};

std::vector<WorkloadName> names() {
  std::vector<WorkloadName> all;
  for (const Workload& workload : workloads()) all.push_back({workload.name, workload.summary});
  return all;
}

bool has(std::string_view name) {
  const auto all = workloads();
  return std::any_of(all.begin(), all.end(), [&](const Workload& workload) { return workload.name == name; });
}

std::unique_ptr<Experiment> open(const Request& request, const model::Machine& machine) {
  return std::make_unique<LayerExperiment>(request, machine);
}

}  // namespace

const Family& layer_family() {
  static constexpr Family kFamily{"the workloads of a layer", names, has, kFlags, nullptr, open};
  return kFamily;
}

}  // namespace npu::orch
