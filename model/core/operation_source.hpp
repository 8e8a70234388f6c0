// Where the operations of a block come from: a program that is interpreted (Interpreter), or anything else that asks
// the scalar unit for one operation after the other.
#pragma once

#include <cstdint>

#include "model/core/block.hpp"

namespace npu::model {

/// Who must have come as far as the scalar unit before the next step may be taken.
enum class Order : std::uint8_t {
  Eager,   ///< nobody: the scalar unit runs ahead
  Local,   ///< the pipes of its core
  System,  ///< all cores
};

/// A source lives on one core and acts through its ScalarUnit, at the scalar unit's time. A call of the scalar unit
/// that returns false has to wait: the source returns false from its step, and takes the same step again when the core
/// comes back to it.
class OperationSource {
 public:
  virtual ~OperationSource() = default;
  virtual void begin(const Block& block) = 0;
  /// Of the next step.
  [[nodiscard]] virtual Order order() = 0;
  /// Takes the next step; whether it is done. The last step of a block is ScalarUnit::finish().
  virtual bool step() = 0;
  /// The instruction at hand, for errors and waits.
  [[nodiscard]] virtual std::uint32_t instruction() const = 0;
};

}  // namespace npu::model
