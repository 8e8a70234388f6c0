// Accesses to the same bytes that nothing orders: on chip, and of one core in global memory.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "model/checks/core_order.hpp"
#include "model/checks/findings.hpp"
#include "model/observer.hpp"

namespace npu::model {

/// Two accesses of one core that share a byte, one of which writes, race where no flag and no barrier orders them,
/// whether or not they happened in a good order in this run. Pipes are in order; a vector instruction that reads what
/// the one directly before it has written needs a barrier (earlier results are there: an instruction takes longer than
/// its results). What the scalar unit does by itself comes before everything that it issues later. Atomic additions to
/// global memory commute. Not seen: accesses of different cores.
class RaceCheck final : public Observer {
 public:
  /// `findings` outlives the check.
  explicit RaceCheck(Findings& findings);
  ~RaceCheck() override;

  void core_added(const CoreLocation& core, const isa::ArchSpec& arch) override;
  void block_started(const CoreLocation& core, const Block& block, Cycles at) override;
  void operation_issued(const CoreLocation& core, const isa::Operation& op, Cycles at) override;
  void operation_started(const CoreLocation& core, const isa::Operation& op, Cycles at) override;
  void scalar_accessed(const CoreLocation& core, const isa::Operation& op, Cycles at) override;

 private:
  struct CoreState;
  [[nodiscard]] CoreState& state_of(const CoreLocation& core);

  Findings& findings_;
  std::vector<std::vector<std::unique_ptr<CoreState>>> cores_;  ///< by card and index
};

}  // namespace npu::model
