// The pipes of a core and the flags between them.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "model/core/core_context.hpp"
#include "model/core/core_pipe.hpp"
#include "model/core/flags.hpp"

namespace npu::model {

class PipeSet {
 public:
  explicit PipeSet(const CoreContext& core);

  [[nodiscard]] CorePipe& operator[](isa::Pipe name) { return pipes_[isa::index_of(name)]; }
  [[nodiscard]] const CorePipe& operator[](isa::Pipe name) const { return pipes_[isa::index_of(name)]; }
  /// The pipes that this kind of core has, without the scalar unit's.
  [[nodiscard]] const std::vector<isa::Pipe>& queued() const { return queued_; }
  [[nodiscard]] const Flags& flags() const { return flags_; }

  void begin_block(std::uint64_t time);
  void push(const isa::Operation& op, std::uint64_t time) { (*this)[op.pipe].push(op, time, flags_); }
  void find_start(isa::Pipe name) { (*this)[name].find_start(flags_); }
  /// Throws ProgramError, naming the instruction, where the flag is set already.
  void set_flag(isa::Pipe from, isa::Pipe to, std::uint32_t id, std::uint64_t time, std::uint32_t instruction);
  void take_flag(isa::Pipe from, isa::Pipe to, std::uint32_t id) { flags_.take(from, to, id); }
  /// All pipes have run dry.
  [[nodiscard]] bool idle() const;
  /// Cycle from which they are, not before `time`.
  [[nodiscard]] std::uint64_t idle_since(std::uint64_t time) const;
  /// Until then no transfer that is under way can end, so nothing that happens earlier can depend on one.
  [[nodiscard]] std::uint64_t horizon() const;
  [[nodiscard]] bool any_transferring() const;

 private:
  const CoreContext& core_;
  Flags flags_;
  std::array<CorePipe, isa::kPipeCount> pipes_;
  std::vector<isa::Pipe> queued_;
};

}  // namespace npu::model
