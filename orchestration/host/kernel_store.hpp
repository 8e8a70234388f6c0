// The kernels of an experiment, each built once, and what was chosen for their plans.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "isa/builder/capacity.hpp"
#include "isa/units.hpp"
#include "kernels/common/kernel.hpp"

namespace npu::orch {

/// Why there is no kernel.
struct UnbuiltKernel {
  std::string reason;
  bool by_config = false;                   ///< a ConfigError; else a ProgramError
  std::vector<isa::Allocation> memory_map;  ///< of tiles that do not fit; empty for any other reason
};

/// By kernel; "" stands for the only one.
using PlanChoices = std::map<std::string, kernels::PlanChoice, std::less<>>;

struct KernelOptions {
  /// Keep: a kernel that cannot be built is kept with the reason, so that the others are built too. Nothing may run.
  enum class Unbuildable : std::uint8_t { Refuse, Keep };
  Unbuildable unbuildable = Unbuildable::Refuse;
  PlanChoices plans = {};
};

/// Every card runs the same object. Pointers stay valid.
class KernelStore {
 public:
  using Build = std::function<kernels::Kernel(const kernels::PlanChoice&)>;

  explicit KernelStore(KernelOptions options = {}) : options_{std::move(options)} {}

  /// The kernel of this name in a variant (a prefix of its name in all(), or none), built at its first use. Null for a
  /// kernel that cannot be built, where such are kept.
  const kernels::Kernel* get(const std::string& variant, const std::string& name, const Build& build);
  /// Completes the shape of an argument by the first tensor that is bound to it.
  void state_rows(const std::string& name, std::string_view argument, isa::Bytes size);
  /// By variant and name.
  [[nodiscard]] const std::map<std::string, kernels::Kernel>& all() const { return kernels_; }
  [[nodiscard]] const std::map<std::string, UnbuiltKernel>& unbuilt() const { return unbuilt_; }

  /// ConfigError where something is chosen for a kernel that is not here, or that has no numbers to choose; call it
  /// when all kernels are built.
  void refuse_unused_choices() const;

 private:
  [[nodiscard]] kernels::Kernel chosen(const std::string& name, const Build& build);

  KernelOptions options_;
  std::map<std::string, kernels::Kernel> kernels_;
  std::map<std::string, UnbuiltKernel> unbuilt_;
  std::map<std::string, bool, std::less<>> planned_;  ///< by name without variant: whether there are numbers to choose
  std::string unnamed_error_;                         ///< why a kernel does not take what is chosen for the only one
};

}  // namespace npu::orch
