// Calibration workloads: one kernel each, with the plan that flags give.
#include <algorithm>

#include "isa/errors.hpp"
#include "isa/shown_text.hpp"
#include "orchestration/calibration/workload.hpp"
#include "orchestration/data/parallel.hpp"
#include "orchestration/data/stopwatch.hpp"
#include "orchestration/experiment/data_flags.hpp"
#include "orchestration/experiment/kernel_experiment.hpp"
#include "orchestration/experiment/tile_flag.hpp"

namespace npu::orch {
namespace {

const CalibrationWorkload& workload_of(std::string_view name) {
  const CalibrationWorkload* const workload = find_calibration_workload(name);
  NPU_ASSERT(workload != nullptr, "the family has the workload");
  return *workload;
}

bool has_field(const CalibrationWorkload& workload, std::string_view name) {
  const std::vector<PlanField> fields = workload.make()->fields();
  return std::any_of(fields.begin(), fields.end(), [&](const PlanField& field) { return field.name == name; });
}

/// A text of --tile: FIELD=VALUE or KERNEL.FIELD=VALUE for any field, a plain value for the field called tile.
FlagText tile_text(const CalibrationWorkload& workload, const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos) {
    if (has_field(workload, "tile")) return {"tile", text};
    throw config_error("--tile {}: {} has no field called tile; expected FIELD=VALUE", isa::shown(text), workload.name);
  }
  const std::string name = text.substr(0, equals), prefix = std::string{workload.name} + ".";
  return {name.starts_with(prefix) ? name.substr(prefix.size()) : name, text.substr(equals + 1)};
}

std::vector<FlagText> plan_flags(const CalibrationWorkload& workload, const FlagValues& flags) {
  std::vector<FlagText> texts;
  for (const auto& [word, values] : flags.given()) {
    for (const std::string& value : values) {
      if (word == kTileFlag.word) {
        texts.push_back(tile_text(workload, value));
      } else if (word != kSaveDataFlag.word) {
        texts.push_back({word.substr(2), value});
      }
    }
  }
  return texts;
}

class CalibrationExperiment final : public KernelExperiment {
 public:
  CalibrationExperiment(const Request& request, const model::Machine& machine, const CalibrationWorkload& workload)
      : KernelExperiment{request, machine, request.ep.value_or(workload.cards)}, case_{workload.make()} {
    take_flags(workload.name, case_->fields(), plan_flags(workload, request.flags));
  }

 protected:
  [[nodiscard]] kernels::Kernel make_kernel(Purpose /*purpose*/) override {
    return case_->build(machine().arch, cards());
  }
  [[nodiscard]] std::vector<KernelValue> make_values(const kernels::Kernel& kernel) override {
    const bool computes = request().mode != model::Mode::Timing;
    const Stopwatch watch;
    std::vector<KernelValue> values = case_->values(kernel, {.cards = cards(),
                                                             .seed = request().seed.value_or(0),
                                                             .values = computes,
                                                             .expected = computes && !request().skip_golden,
                                                             .threads = processors()});
    if (computes && !request().skip_golden) reference_seconds_ += watch.seconds();
    return values;
  }

 private:
  std::unique_ptr<CalibrationCase> case_;
};

/// A plan field as a flag. Its value is text to the command line: what it may be differs from workload to workload, and
/// so does the help, which shows fields by workload.
FlagSpec spec_of(std::string_view word, std::string_view form, std::string_view summary) {
  return {.word = word,
          .kind = form.empty() ? FlagKind::Switch : FlagKind::Text,
          .value = form,
          .summary = summary,
          .of_fit = true};
}

/// The fields of all workloads, each word once, and the flags that all of them take.
const std::vector<FlagSpec>& flags() {
  static std::vector<std::pair<std::string, PlanField>> fields;  // words and forms, which the flags point to
  static const std::vector<FlagSpec> kFlags = [] {
    for (const CalibrationWorkload& workload : calibration_workloads()) {
      for (PlanField& field : workload.make()->fields()) {
        const std::string word = fmt::format("--{}", field.name);
        const auto known =
            std::find_if(fields.begin(), fields.end(), [&](const auto& other) { return other.first == word; });
        if (known == fields.end() && word != kTileFlag.word) fields.emplace_back(word, std::move(field));
      }
    }
    std::vector<FlagSpec> specs;
    for (const auto& [word, field] : fields) specs.push_back(spec_of(word, field.form, field.summary));
    specs.push_back(kTileFlag);
    specs.push_back(kSaveDataFlag);
    return specs;
  }();
  return kFlags;
}

bool takes(std::string_view workload, const FlagSpec& spec) {
  return spec.word == kTileFlag.word || spec.word == kSaveDataFlag.word ||
         has_field(workload_of(workload), spec.word.substr(2));
}

std::vector<WorkloadName> names() {
  std::vector<WorkloadName> all;
  for (const CalibrationWorkload& workload : calibration_workloads()) all.push_back({workload.name, workload.summary});
  return all;
}

std::vector<std::string> machine_figures(std::string_view workload) {
  return workload_of(workload).make()->machine_figures();
}

std::unique_ptr<Experiment> open(const Request& request, const model::Machine& machine) {
  return std::make_unique<CalibrationExperiment>(request, machine, workload_of(request.workload));
}

}  // namespace

const Family& calibration_family() {
  static const Family kFamily{"calibration kernels",
                              names,
                              [](std::string_view name) { return find_calibration_workload(name) != nullptr; },
                              flags(),
                              takes,
                              open,
                              machine_figures};
  return kFamily;
}

}  // namespace npu::orch
