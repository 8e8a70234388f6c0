// The kernels of an experiment, each built once.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
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

/// Kernels by name; every card runs the same object. Pointers stay valid.
class KernelStore {
 public:
  enum class Unbuildable : std::uint8_t { Refuse, Keep };
  /// Keep: a kernel that cannot be built is kept with the reason, so that the others are built too. Nothing may run.
  explicit KernelStore(Unbuildable unbuildable = Unbuildable::Refuse) : unbuildable_{unbuildable} {}

  /// Null for a kernel that cannot be built, where such are kept.
  const kernels::Kernel* get(const std::string& name, const std::function<kernels::Kernel()>& build);
  /// Completes the shape of an argument by the first tensor that is bound to it.
  void state_rows(const std::string& name, std::string_view argument, isa::Bytes size);
  [[nodiscard]] const std::map<std::string, kernels::Kernel>& all() const { return kernels_; }
  [[nodiscard]] const std::map<std::string, UnbuiltKernel>& unbuilt() const { return unbuilt_; }

 private:
  Unbuildable unbuildable_;
  std::map<std::string, kernels::Kernel> kernels_;
  std::map<std::string, UnbuiltKernel> unbuilt_;
};

}  // namespace npu::orch
