// What `run` and `fit` work on: kernels, the tasks that use them, their inputs, and what their results are compared
// with. The walk of a run is describe, build, load, run, compare, save; `fit` ends behind build.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "isa/errors.hpp"
#include "kernels/common/kernel.hpp"
#include "model/device.hpp"
#include "orchestration/data/compare.hpp"
#include "orchestration/host/kernel_store.hpp"
#include "orchestration/report/summary.hpp"

namespace npu::orch {

/// Run: everything is verified and allocated. Compile: verified, as far as that needs no inputs. Measure: kernels that
/// cannot be built are kept with the reason, so that all others can be measured; nothing may run.
enum class Purpose : std::uint8_t { Run, Compile, Measure };

/// Opened by its family from flags, which are right when it exists. One per process (model::System).
class Experiment {
 public:
  Experiment() = default;
  Experiment(const Experiment&) = delete;
  Experiment& operator=(const Experiment&) = delete;
  virtual ~Experiment() = default;

  [[nodiscard]] virtual std::uint32_t cards() const = 0;
  /// Dimensions and the like, for the report and the run directory.
  virtual void describe(RunReport&) const {}

  /// Throws ConfigError (files, HBM full) and ProgramError (illegal, or does not fit the card).
  virtual void build(const model::SystemOptions& options, Purpose purpose) = 0;
  /// By a name that is unique in the experiment.
  [[nodiscard]] virtual const std::map<std::string, kernels::Kernel>& kernels() const = 0;
  /// Those that cannot be built, with the reason, by the same names. Empty for other purposes than Measure.
  [[nodiscard]] virtual const std::map<std::string, UnbuiltKernel>& unbuilt() const {
    static const std::map<std::string, UnbuiltKernel> kNone;
    return kNone;
  }
  /// Of all cards together.
  [[nodiscard]] virtual std::size_t task_count() const = 0;

  /// Makes or reads the inputs and what is expected, and fills the cards. ConfigError for files that do not suffice.
  virtual void load() = 0;
  /// Throws ProgramError, Deadlock, ConfigError.
  virtual void run() = 0;
  /// Of the run so far, however it ended.
  [[nodiscard]] virtual model::RunStats stats() const = 0;
  /// Facts of a run that only this family has, for the report.
  virtual void add_facts(RunReport&) const {}

  /// What is expected against the results; empty where nothing is expected.
  [[nodiscard]] virtual std::vector<Comparison> compare() = 0;
  /// Results for a terminal, in front of the report; lines, or empty.
  [[nodiscard]] virtual std::string shown_results() { return {}; }
  /// Inputs and results as files of an existing directory. Called where the family takes --save-data.
  virtual void save(const std::filesystem::path&) { NPU_ASSERT(false, "a family that takes --save-data saves"); }

  /// That references took so far.
  [[nodiscard]] double reference_seconds() const { return reference_seconds_; }

 protected:
  double reference_seconds_ = 0.0;
};

}  // namespace npu::orch
