// Families of experiments: the names that `run` and `fit` take, each with flags of its own.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/config/machine.hpp"
#include "orchestration/experiment/experiment.hpp"
#include "orchestration/experiment/flags.hpp"

namespace npu::orch {

/// What the command line asks of an experiment.
struct Request {
  std::string workload;  ///< one that the family has
  FlagValues flags;      ///< that the workload takes
  std::optional<std::uint32_t> ep;
  std::optional<std::uint64_t> seed;
  model::Mode mode = model::Mode::Timed;
  bool skip_golden = false;
};

struct WorkloadName {
  std::string_view name;
  std::string_view summary;
};

/// To add one: write its Family, and name it in families().
struct Family {
  std::string_view title;                                     ///< whom a flag belongs to, in messages
  std::vector<WorkloadName> (*workloads)();                   ///< for `list` and completion
  bool (*has)(std::string_view workload);                     ///< whether a word names an experiment of this family
  std::span<const FlagSpec> flags;                            ///< of all its workloads together
  bool (*takes)(std::string_view workload, const FlagSpec&);  ///< null: each workload takes all of them
  /// Outlived by the machine. ConfigError for what is wrong with the flags.
  std::unique_ptr<Experiment> (*open)(const Request&, const model::Machine&);
  /// Figures of the machine that a workload brings, as --set has them, where --set does not give them; null: none.
  std::vector<std::string> (*machine_figures)(std::string_view workload) = nullptr;
};

[[nodiscard]] std::span<const Family* const> families();
/// ConfigError with the nearest name, or saying that a workload of the contract is not built.
[[nodiscard]] const Family& family_of(std::string_view workload);
/// The declaration of a word by the first family that takes it; null for words that no family takes.
[[nodiscard]] const FlagSpec* find_flag(std::string_view word);

enum class Use : std::uint8_t { Run, Fit };
/// ConfigError naming whose flag it is, where one is given that this workload does not take.
void refuse_foreign_flags(std::string_view workload, const FlagValues& flags, Use use);

[[nodiscard]] const Family& layer_family();
[[nodiscard]] const Family& step_family();
[[nodiscard]] const Family& program_family();
[[nodiscard]] const Family& calibration_family();

}  // namespace npu::orch
