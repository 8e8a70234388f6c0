#include "model/system/core_pool.hpp"

#include <algorithm>

#include "isa/errors.hpp"

namespace npu::model {

Shape shape_of(const isa::KernelObject& kernel) {
  if (kernel.cube && kernel.vector) return Shape::Mixed;
  return kernel.cube ? Shape::Cube : Shape::Vector;
}

CorePool::CorePool(std::uint32_t card, std::uint32_t clusters, const SchedulerCosts& costs, const CoreFactory& factory,
                   BlockObserver& observer)
    : clusters_{clusters}, costs_{costs} {
  slots_.resize(std::size_t{clusters} * kCoresPerCluster);
  for (std::uint32_t i = 0; i < size(); ++i) {
    slots_[i].at = core_location(card, clusters, i);
    slots_[i].core = factory(slots_[i].at, observer);
  }
  for (const Shape shape : {Shape::Mixed, Shape::Cube, Shape::Vector}) {
    places_[static_cast<std::size_t>(shape)] = make_places(shape);
  }
}

std::vector<std::uint32_t> CorePool::make_places(Shape shape) const {
  std::vector<std::uint32_t> order;
  for (std::uint32_t sub = 0; sub < (shape == Shape::Vector ? kVectorCoresPerCluster : 1); ++sub) {
    for (std::uint32_t c = 0; c < clusters_; ++c) {
      order.push_back(shape == Shape::Vector ? clusters_ + kVectorCoresPerCluster * c + sub : c);
    }
  }
  return order;
}

std::vector<std::uint32_t> CorePool::footprint(Shape shape, std::uint32_t core) const {
  if (shape != Shape::Mixed) return {core};
  std::vector<std::uint32_t> cores{core};
  for (std::uint32_t sub = 0; sub < kVectorCoresPerCluster; ++sub) {
    cores.push_back(clusters_ + kVectorCoresPerCluster * slots_[core].at.cluster + sub);
  }
  return cores;
}

bool CorePool::is_idle(Shape shape, std::uint32_t core) const {
  if (shape != Shape::Mixed) return slots_[core].occupied == 0;
  const auto cores = footprint(shape, core);
  return std::all_of(cores.begin(), cores.end(), [&](std::uint32_t c) { return slots_[c].occupied == 0; });
}

bool CorePool::can_stage(Shape shape, std::uint32_t core) const {
  if (shape != Shape::Mixed) return slots_[core].occupied == 1;
  const Part& lead = slots_[core].last;
  const auto cores = footprint(shape, core);
  return std::all_of(cores.begin(), cores.end(), [&](std::uint32_t c) {
    return slots_[c].occupied == 1 && slots_[c].last.mixed && slots_[c].last == lead;
  });
}

std::vector<std::uint32_t> CorePool::idle_places(Shape shape) const {
  std::vector<std::uint32_t> idle;
  for (const std::uint32_t core : places(shape)) {
    if (is_idle(shape, core)) idle.push_back(core);
  }
  return idle;
}

std::optional<std::uint32_t> CorePool::idle_place(Shape shape, std::uint32_t thread) const {
  for (const std::uint32_t core : places(shape)) {
    if (owner(core) == thread && is_idle(shape, core)) return core;
  }
  return std::nullopt;
}

std::optional<std::uint32_t> CorePool::staging_place(Shape shape, std::uint32_t thread) const {
  for (const std::uint32_t core : places(shape)) {
    if (owner(core) == thread && can_stage(shape, core)) return core;
  }
  return std::nullopt;
}

std::uint32_t CorePool::capacity(Shape shape) const { return static_cast<std::uint32_t>(places(shape).size()); }

void CorePool::claim(std::uint32_t core, const Part& part) {
  Slots& s = slots_[core];
  NPU_ASSERT(s.occupied < 2, "a core has two slots");
  ++s.occupied;
  s.entries.push_back({part});
  s.last = part;
}

void CorePool::publish(std::uint32_t core, const Part& part, std::uint64_t visible) {
  Slots& s = slots_[core];
  const auto entry = std::find_if(s.entries.begin(), s.entries.end(),
                                  [&](const Entry& e) { return e.phase == Phase::Claimed && e.part == part; });
  NPU_ASSERT(entry != s.entries.end(), "only a claimed part can be published");
  entry->phase = Phase::Published;
  entry->visible = visible;
}

void CorePool::release(std::uint32_t core) {
  NPU_ASSERT(slots_[core].occupied > 0, "a completion belongs to an occupied slot");
  --slots_[core].occupied;
}

/// The first set-up of a core: spread evenly over the clusters, from the warm set-up to as far beyond the mean.
std::uint64_t CorePool::cold_setup(std::uint32_t core) const {
  const std::uint64_t spread = 2 * (costs_.cold - costs_.setup);
  return costs_.setup + spread * (2 * slots_[core].at.cluster + 1) / (2 * std::uint64_t{clusters_});
}

std::vector<PlannedStart> CorePool::plan_starts(std::uint32_t core, std::uint64_t now) {
  if (slots_[core].entries.empty() || slots_[core].entries.front().phase != Phase::Published) return {};
  const Part part = slots_[core].entries.front().part;
  const std::uint32_t cube_core = slots_[core].at.cluster;
  const auto cores = part.mixed ? footprint(Shape::Mixed, cube_core) : std::vector<std::uint32_t>{core};
  std::uint64_t begin = now;
  std::uint64_t setup = 0;
  for (const std::uint32_t c : cores) {
    const Slots& s = slots_[c];
    if (s.entries.empty()) return {};
    const Entry& front = s.entries.front();
    if (front.phase != Phase::Published || front.part != part) return {};
    begin = std::max(begin, front.visible);
    setup = std::max(setup, s.warm ? costs_.setup : cold_setup(c));
  }
  std::vector<PlannedStart> starts;
  for (const std::uint32_t c : cores) {
    slots_[c].entries.front().phase = Phase::Planned;
    slots_[c].warm = true;
    const bool late = part.mixed && slots_[c].at.kind == isa::CoreKind::AIV;
    starts.push_back({c, begin + setup + (late ? costs_.mixed_skew : 0), begin});
  }
  return starts;
}

Part CorePool::start(std::uint32_t core) {
  Entry& front = slots_[core].entries.front();
  NPU_ASSERT(front.phase == Phase::Planned, "a start follows its plan");
  front.phase = Phase::Running;
  return front.part;
}

Part CorePool::finish(std::uint32_t core) {
  Slots& s = slots_[core];
  NPU_ASSERT(!s.entries.empty() && s.entries.front().phase == Phase::Running, "a core finishes the block that it runs");
  const Part part = s.entries.front().part;
  s.entries.pop_front();
  return part;
}

}  // namespace npu::model
