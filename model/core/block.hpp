// One block of a task on one core, and what the core says about it afterwards.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "isa/program.hpp"
#include "model/device.hpp"

namespace npu::model {

struct Block {
  const isa::Program* program = nullptr;
  const std::vector<std::int64_t>* args = nullptr;  ///< LDARG values; outlives the block
  std::string_view name{};                          ///< of the task, for traces; empty: the program's
  std::uint32_t task = 0;                           ///< index of the task on its card
  std::uint32_t block = 0, block_count = 1;
  std::uint32_t sub_block = 0;  ///< which vector core of the cluster
  bool mixed = false;           ///< cross-core flags may be used
  std::uint64_t since = 0;      ///< cycle from which the core is taken: it has seen the block and sets it up
};

struct BlockStats {
  std::uint64_t begin = 0, end = 0;  ///< cycles
  std::array<PipeStats, isa::kPipeCount> pipes;
  Bytes read, written;  ///< global memory, by its movers
};

/// Called by a core at the simulated time at which its block has finished (every pipe drained).
class BlockObserver {
 public:
  virtual ~BlockObserver() = default;
  virtual void block_finished(std::uint32_t core, const BlockStats& stats) = 0;
};

/// What the card's scheduler sees of a core.
class CoreInterface {
 public:
  virtual ~CoreInterface() = default;
  /// Starts a block now. The core is idle.
  virtual void start(const Block& block) = 0;
  /// Appends a row per unit that has not come to the end of its work: what it waits for, or does. None when idle.
  virtual void describe_waits(std::vector<WaitRow>& rows) const = 0;
  /// The cycle up to which the core has simulated: it may run ahead of the system.
  [[nodiscard]] virtual std::uint64_t latest() const = 0;
  /// The run ends early, at `cycle` or, where the core has run ahead, at latest(): closes the spans that are open.
  /// Statistics of the block that runs, if one does. Nothing follows.
  virtual std::optional<BlockStats> cut_off(std::uint64_t cycle) = 0;
  /// Instructions executed since the start of the simulation, all pipes and the scalar unit: a sign of life for the
  /// detection of stalls.
  [[nodiscard]] virtual std::uint64_t retired() const = 0;
  /// The core has something under way that will end by itself: an instruction, a transfer, a store.
  [[nodiscard]] virtual bool goes_on() const = 0;
};

}  // namespace npu::model
