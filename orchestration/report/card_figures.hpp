// What each card of a run did with its time, its memory and its links, against what the machine can do.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "model/device.hpp"

namespace npu::orch {

/// Cycles from a to b; 0 where b did not come (a run that ended early).
[[nodiscard]] constexpr std::uint64_t cycles_between(std::uint64_t a, std::uint64_t b) { return b > a ? b - a : 0; }

/// part / whole; 0 of nothing.
[[nodiscard]] constexpr double share_of(double part, double whole) { return whole > 0 ? part / whole : 0.0; }

struct MemoryFigures {
  std::uint64_t hbm_read = 0, hbm_write = 0, l2_read = 0, l2_write = 0, l2_hits = 0;  ///< bytes
  std::uint64_t cycles = 0;  ///< that the bytes took: Effective, of several cards added up
};
void add(MemoryFigures& sum, const MemoryFigures& more);
/// Decimal GB/s over the time of the figures; of several cards the mean of a card.
[[nodiscard]] double gb_per_s(const model::Params& params, std::uint64_t bytes, std::uint64_t cycles);
/// Share of the HBM bus: reads and write-backs take turns on it, each at its own peak.
[[nodiscard]] double hbm_share(const model::Params& params, const MemoryFigures& memory);

struct CardFigures {
  std::uint64_t effective = 0;         ///< cycles: launch received to last task complete
  std::uint64_t gaps = 0;              ///< cycles of these in which no block of a task runs
  std::array<double, 2> idle_share{};  ///< of the cores, by kind: time in which they run no block
  MemoryFigures memory;
};
/// One per card.
[[nodiscard]] std::vector<CardFigures> card_figures(const model::RunStats& stats, std::uint32_t clusters);

/// Cycles from the first card's start to the last card's end.
[[nodiscard]] std::uint64_t device_cycles(const model::RunStats& stats);
/// Effective of the card that took longest.
[[nodiscard]] std::uint64_t effective_cycles(const model::RunStats& stats);

}  // namespace npu::orch
