// What the parts of one core share: its place, what it may use, the block that runs, and how an error names its place.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "isa/errors.hpp"
#include "model/core/block.hpp"
#include "model/core/core_location.hpp"
#include "model/core/notify_board.hpp"
#include "model/environment.hpp"
#include "model/memory/memory_system.hpp"

namespace npu::model {

/// No cycle: what has not happened, or does not happen by itself.
inline constexpr std::uint64_t kNever = ~std::uint64_t{0};

/// Shared by the cores of one run.
struct CoreServices {
  MemorySystem& memory;
  std::shared_ptr<NotifyBoard> notifies;
  std::uint32_t card_count = 1;
  Mode mode = Mode::Timed;
  ActivityMarker* activity = nullptr;
};

struct CoreContext {
  Environment env;
  CoreLocation where;
  CoreServices services;
  Block block = {};  ///< that runs, or has run last

  [[nodiscard]] const CoreParams& params() const { return env.machine.params.core; }
  /// Kernel, core, block and instruction, as errors and waits name them.
  [[nodiscard]] std::string place(std::uint32_t instruction) const;
  /// Throws ProgramError.
  [[noreturn]] void fail(std::uint32_t instruction, const std::string& message) const;
  /// Calls access() for an instruction, which a ProgramError that it throws then names.
  template <class Access>
  auto named(std::uint32_t instruction, Access&& access) const {
    try {
      return access();
    } catch (const ProgramError& error) {
      fail(instruction, error.what());
    }
  }
  /// Calls tell(observer) for every listener of the run.
  template <class Tell>
  void tell(const Tell& tell) const {
    env.observers.tell(tell);
  }
};

}  // namespace npu::model
