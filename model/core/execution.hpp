// What an operation does to bytes when it retires: everything (functional, timed), or in timing mode only what can
// steer the program.
#pragma once

#include <memory>

#include "isa/operation.hpp"
#include "model/core/core_context.hpp"
#include "model/core/local_memory.hpp"

namespace npu::model {

class Execution {
 public:
  virtual ~Execution() = default;
  /// A mover, cube or vector operation takes effect. Throws ProgramError for what only the data can show.
  virtual void retire(const isa::Operation& op) = 0;
  /// Whether a scalar load of these bytes gets a value.
  [[nodiscard]] virtual bool has_value(const isa::Access& access) const = 0;
  /// A scalar store has written a value, or one that nobody computed, to an element of a tile.
  virtual void element_stored(const isa::Access& access, bool has_value) = 0;
};

/// Of the run's mode. `core` and `local` outlive it.
[[nodiscard]] std::unique_ptr<Execution> make_execution(const CoreContext& core, const LocalMemory& local);

/// Timing mode: whether instructions compute with values of this type. The others are data, which steers nothing.
[[nodiscard]] constexpr bool is_control_type(isa::DType t) {
  return t == isa::DType::I16 || t == isa::DType::I32 || t == isa::DType::I64;
}

}  // namespace npu::model
