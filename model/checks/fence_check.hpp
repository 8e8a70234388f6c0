// Announcements that overtake what they announce.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "model/checks/core_order.hpp"
#include "model/checks/findings.hpp"
#include "model/observer.hpp"

namespace npu::model {

/// A notify says that something is there. Found are a notify while stores of the core's movers may be under way,
/// because the scalar unit has waited for no flag and no barrier behind them, and one while lines that its data cache
/// has written back may be under way, because there was no dsb since.
class FenceCheck final : public Observer {
 public:
  /// `findings` outlives the check.
  explicit FenceCheck(Findings& findings) : findings_{findings} {}

  void core_added(const CoreLocation& core, const isa::ArchSpec& arch) override;
  void block_started(const CoreLocation& core, const Block& block, Cycles at) override;
  void operation_issued(const CoreLocation& core, const isa::Operation& op, Cycles at) override;
  void operation_started(const CoreLocation& core, const isa::Operation& op, Cycles at) override;
  void scalar_accessed(const CoreLocation& core, const isa::Operation& op, Cycles at) override;
  void line_written_back(const CoreLocation& core, std::uint64_t address, Cycles at) override;
  void stores_drained(const CoreLocation& core, Cycles at) override;

 private:
  struct Store {
    isa::Pipe pipe;
    std::uint32_t number, instruction;  ///< number 0: it waits in its queue
  };
  struct CoreState {
    explicit CoreState(std::uint32_t flag_ids) : order{flag_ids} {}
    CoreOrder order;
    std::vector<Store> stores;       ///< since the scalar unit has known of all of them
    std::uint64_t written_back = 0;  ///< lines since the last dsb
  };
  [[nodiscard]] CoreState& state_of(const CoreLocation& core) { return *cores_[core.card][core.index]; }

  Findings& findings_;
  std::vector<std::vector<std::unique_ptr<CoreState>>> cores_;  ///< by card and index
};

}  // namespace npu::model
