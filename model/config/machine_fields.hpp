// The keys of a machine file: one table drives reading, validation, overrides, documentation and printing.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "model/config/machine.hpp"

namespace npu::model {

/// Which numbers between min and max are values of a field.
enum class Domain : std::uint8_t { Real, Whole, PowerOfTwo };

struct MachineField {
  std::string_view key;  ///< "section.name"
  std::string_view unit;
  Domain domain;
  double min, max;  ///< both allowed
  std::string_view meaning;
  double (*get)(const Machine&);
  void (*set)(Machine&, double);  ///< in table order: a field may rely on the ones above it
};

/// Section by section.
[[nodiscard]] std::span<const MachineField> machine_fields();

/// A relation between two fields; each lies in its own range already.
struct MachineRule {
  std::string_view key, relation, other;  ///< "memory.read_miss_cycles", "must not be below", "memory.read_hit_cycles"
  bool (*holds)(const Machine&);
};

[[nodiscard]] std::span<const MachineRule> machine_rules();

}  // namespace npu::model
