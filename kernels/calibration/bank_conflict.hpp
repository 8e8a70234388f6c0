// The same vector addition many times over, with its operands placed against each other in the banks of UB.
#pragma once

#include <cstdint>

#include "kernels/calibration/plan.hpp"
#include "kernels/common/kernel.hpp"

namespace npu::kernels {

struct BankConflictPlan {
  /// Where the operands start. UB is 3 rows of 16 bank groups, 32 bytes wide (machine.md 3.1). Free: sources half a
  /// turn of the groups apart, the result in another row of banks. ReadRead: both sources in one group. ReadWrite: the
  /// result one block behind the first source in its row of banks. SameBank: the result in the very bank of the first
  /// source. InPlace: the result is the second source, of two in
  /// turn, for an addition's own result is not there in time for the next.
  enum class Placement : std::uint8_t { Free, ReadRead, ReadWrite, SameBank, InPlace };

  std::uint32_t repeats = 8;  ///< of 256 bytes, of one addition
  std::uint32_t count = 100;  ///< additions
  isa::DType dtype = isa::DType::F32;
  Placement placement = Placement::Free;
  std::uint32_t src_block_stride = 1, src_repeat_stride = 8;  ///< blocks of 32 bytes

  [[nodiscard]] std::uint32_t lanes() const { return 256 / isa::size_of(dtype); }
};

/// One vector core. Arguments: result [repeats, lanes()], the sum of ones and twos; in place the ones are added to
/// the twos by every other addition. No barrier stands between the additions. Throws ConfigError for strides that
/// operands cannot have, CapacityError for operands that do not fit.
[[nodiscard]] Kernel bank_conflict(const BankConflictPlan& plan, const isa::ArchSpec& arch);

}  // namespace npu::kernels
