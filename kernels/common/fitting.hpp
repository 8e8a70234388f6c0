// A kernel built with the first of several plans whose tiles fit the card.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>

#include "isa/arch_spec.hpp"
#include "isa/builder/capacity.hpp"
#include "isa/units.hpp"
#include "kernels/common/kernel.hpp"
#include "kernels/common/plan.hpp"

namespace npu::kernels {

/// build(plan) with the chosen numbers, or, where its tiles do not fit, with what the plan makes of itself, again and
/// again. The builder's own allocation decides, so that a plan keeps no account of bytes that could differ from it. A
/// Plan has
///   PlanFields fields(arch)      its table
///   bool shrink(arch, error)     cuts one dimension and returns true, or returns false where nothing is left to cut:
/// then, and where only a chosen number is left to cut, the CapacityError leaves, with the need of the smallest plan.
template <class Plan, class Build>
[[nodiscard]] Kernel build_fitting(std::string_view kernel, Plan plan, const isa::ArchSpec& arch,
                                   const PlanChoice& choice, const Build& build) {
  choose(kernel, choice, [&] { return plan.fields(arch); });
  while (true) {
    try {
      Kernel built = build(std::as_const(plan));
      built.plan = values_of(plan.fields(arch));
      return built;
    } catch (const isa::CapacityError& error) {
      if (!plan.shrink(arch, error) || !keeps(choice, plan.fields(arch))) throw;
    }
  }
}

/// Half of the extent in whole granules; false where it is one granule or less already.
[[nodiscard]] inline bool halve(std::uint32_t& extent, std::uint32_t granule = 1) {
  if (extent <= granule) return false;
  extent = static_cast<std::uint32_t>(isa::round_up(extent / 2, granule));
  return true;
}

}  // namespace npu::kernels
