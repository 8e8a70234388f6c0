// A kernel built with the first of several plans whose tiles fit the card.
#pragma once

#include <cstdint>
#include <utility>

#include "isa/builder/capacity.hpp"
#include "isa/units.hpp"
#include "kernels/common/kernel.hpp"

namespace npu::kernels {

/// build(plan) where its tiles fit, else build() of what `smaller` makes of the plan, again and again. The builder's
/// own allocation decides, so that a plan keeps no account of bytes that could differ from it. smaller(plan, error)
/// cuts one dimension and returns true, or returns false where nothing is left to cut: then the CapacityError leaves,
/// with the need of the smallest plan.
template <class Plan, class Smaller, class Build>
[[nodiscard]] Kernel build_fitting(Plan plan, const Smaller& smaller, const Build& build) {
  while (true) {
    try {
      return build(std::as_const(plan));
    } catch (const isa::CapacityError& error) {
      if (!smaller(plan, error)) throw;
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
