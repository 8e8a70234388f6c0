// The cores of a card as its scheduler uses them: two slots each, and when a published block starts. No time passes
// here; the scheduler asks, and carries out the starts.
//
// Two views are kept apart. The scheduler counts a slot as occupied from the claim until it has polled the completion;
// the core itself moves on to the staged block as soon as the running one ends. Slots do not migrate: a block staged
// behind one that waits for the peer card waits with it, which is why an idle core is always preferred.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "model/core/core_factory.hpp"
#include "model/system/scheduler_costs.hpp"

namespace npu::model {

/// What a block occupies: a whole cluster, one cube core, or one vector core. In order of dispatch priority.
enum class Shape : std::uint8_t { Mixed, Cube, Vector };
inline constexpr std::size_t kShapeCount = 3;
[[nodiscard]] Shape shape_of(const isa::KernelObject& kernel);

/// One block, or the part of a mixed block that one core runs.
struct Part {
  std::uint32_t task = 0, block = 0;
  bool mixed = false;
  [[nodiscard]] bool operator==(const Part&) const = default;
};

struct PlannedStart {
  std::uint32_t core;
  std::uint64_t cycle;  ///< its scalar unit begins
  std::uint64_t since;  ///< it has seen the block, and those of all cores of the block are free
};

class CorePool {
 public:
  CorePool(std::uint32_t card, std::uint32_t clusters, const SchedulerCosts& costs, const CoreFactory& factory,
           BlockObserver& observer);

  [[nodiscard]] std::uint32_t clusters() const { return clusters_; }
  [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(slots_.size()); }
  [[nodiscard]] const CoreLocation& location(std::uint32_t core) const { return slots_[core].at; }
  [[nodiscard]] CoreInterface& core(std::uint32_t core) { return *slots_[core].core; }
  [[nodiscard]] const CoreInterface& core(std::uint32_t core) const { return *slots_[core].core; }
  /// Scheduler thread that owns the core: clusters are dealt out in turn.
  [[nodiscard]] std::uint32_t owner(std::uint32_t core) const { return slots_[core].at.cluster % costs_.threads; }
  /// Cores that a block of the shape claims when it is placed at `core` (mixed: the cluster of that cube core).
  [[nodiscard]] std::vector<std::uint32_t> footprint(Shape shape, std::uint32_t core) const;

  /// Idle places for the shape, in order of preference: one per cluster first, clusters ascending.
  [[nodiscard]] std::vector<std::uint32_t> idle_places(Shape shape) const;
  [[nodiscard]] std::optional<std::uint32_t> idle_place(Shape shape, std::uint32_t thread) const;
  /// Place of `thread` whose second slot is free. A mixed block is staged only behind another mixed block.
  [[nodiscard]] std::optional<std::uint32_t> staging_place(Shape shape, std::uint32_t thread) const;
  /// How many blocks of the shape the card can hold at once.
  [[nodiscard]] std::uint32_t capacity(Shape shape) const;

  /// Takes a slot of the core for the part.
  void claim(std::uint32_t core, const Part& part);
  /// The claimed part reaches the core at `visible`.
  void publish(std::uint32_t core, const Part& part, std::uint64_t visible);
  /// The scheduler has seen a completion of the core.
  void release(std::uint32_t core);

  /// Starts that follow from what the core has got: call after a publication and after a completion.
  [[nodiscard]] std::vector<PlannedStart> plan_starts(std::uint32_t core, std::uint64_t now);
  /// The planned part starts now. Returns it.
  [[nodiscard]] Part start(std::uint32_t core);
  /// The running part has ended. Returns it.
  [[nodiscard]] Part finish(std::uint32_t core);

 private:
  enum class Phase : std::uint8_t { Claimed, Published, Planned, Running };
  struct Entry {
    Part part;
    Phase phase = Phase::Claimed;
    std::uint64_t visible = 0;
  };
  struct Slots {
    CoreLocation at;
    std::unique_ptr<CoreInterface> core;
    std::uint32_t occupied = 0;  ///< as the scheduler knows
    std::deque<Entry> entries;   ///< as the core has them; the front one runs or starts next
    Part last;                   ///< claimed last
    bool warm = false;
  };

  [[nodiscard]] bool is_idle(Shape shape, std::uint32_t core) const;
  [[nodiscard]] std::uint64_t cold_setup(std::uint32_t core) const;
  [[nodiscard]] bool can_stage(Shape shape, std::uint32_t core) const;
  [[nodiscard]] std::vector<std::uint32_t> make_places(Shape shape) const;
  [[nodiscard]] const std::vector<std::uint32_t>& places(Shape shape) const {
    return places_[static_cast<std::size_t>(shape)];
  }

  std::uint32_t clusters_;
  SchedulerCosts costs_;
  std::vector<Slots> slots_;
  std::array<std::vector<std::uint32_t>, kShapeCount> places_;  ///< in order of preference
};

}  // namespace npu::model
