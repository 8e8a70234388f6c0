// Data caches that are not coherent: stale reads, results that stay in a cache, lines that two cores write.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "model/checks/findings.hpp"
#include "model/observer.hpp"

namespace npu::model {

/// Found are a scalar load of a line that anybody else (a mover, a notify, another core's cache) has written since it
/// was filled, a line that is still dirty when its block ends, and a scalar store to a line that another core holds
/// dirty, of which one write-back will undo the other.
class CacheCheck final : public Observer {
 public:
  /// `findings` outlives the check.
  explicit CacheCheck(Findings& findings) : findings_{findings} {}

  void core_added(const CoreLocation& core, const isa::ArchSpec& arch) override;
  void block_started(const CoreLocation& core, const Block& block, Cycles at) override;
  void block_ended(const CoreLocation& core, const Block& block, Cycles begin, Cycles end) override;
  void operation_retired(const CoreLocation& core, const isa::Operation& op, Cycles at) override;
  void scalar_accessed(const CoreLocation& core, const isa::Operation& op, Cycles at) override;
  void line_filled(const CoreLocation& core, std::uint64_t address, Cycles at) override;
  void line_written_back(const CoreLocation& core, std::uint64_t address, Cycles at) override;
  void line_dropped(const CoreLocation& core, std::uint64_t address, Cycles at) override;
  void notify_performed(const Notify& notify, Cycles at) override;

 private:
  struct Line {
    bool dirty = false;
    const isa::Program* stored_by = nullptr;  ///< of the last scalar store
    std::uint32_t store = 0;
    bool stale = false;
    FindingPlace written_by;  ///< since it was filled
  };
  using CoreId = std::pair<std::uint32_t, std::uint32_t>;  ///< card and index
  static CoreId id_of(const CoreLocation& core) { return {core.card, core.index}; }

  /// Calls f(core, line) for the cached lines that hold a byte of [begin, end).
  template <class F>
  void for_holders(std::uint64_t begin, std::uint64_t end, const F& f);
  [[nodiscard]] Line* find(const CoreLocation& core, std::uint64_t address);

  Findings& findings_;
  std::uint64_t line_bytes_ = 1;
  std::map<std::pair<std::uint64_t, CoreId>, Line> lines_;  ///< that some core's cache holds, by address
};

}  // namespace npu::model
