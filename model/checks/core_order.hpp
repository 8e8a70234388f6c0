// What is ordered on one core: which operations of a pipe are certainly complete when an operation of another starts,
// by flags and barriers alone, however the run went in time.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "isa/arch_spec.hpp"
#include "isa/operation.hpp"
#include "model/core/ring_buffer.hpp"

namespace npu::model {

/// A vector clock per pipe. Operations of a pipe are numbered from 1 in the order in which they start; a clock says of
/// every pipe up to which number its operations are complete. Rules: an operation knows what the scalar unit knew when
/// it issued it, and what earlier operations of its pipe knew; SETFLAG carries what its pipe knows and everything that
/// its pipe has started, WAITFLAG takes it; PIPEBARRIER completes its pipe, without a pipe all pipes. What the scalar
/// unit itself does is complete when it goes on.
class CoreOrder {
 public:
  using Clock = std::array<std::uint32_t, isa::kPipeCount>;

  explicit CoreOrder(std::uint32_t flag_ids) : ids_{flag_ids}, flags_(isa::kPipeCount * isa::kPipeCount * flag_ids) {}

  void begin_block();
  void issued(const isa::Operation& op) {
    if (op.pipe != isa::Pipe::S) issued_[isa::index_of(op.pipe)].push() = clocks_[isa::index_of(isa::Pipe::S)];
  }
  /// The number of the operation that starts.
  std::uint32_t started(const isa::Operation& op);
  /// The scalar unit reads or writes by itself.
  std::uint32_t scalar_step();
  /// Whether operation `number` of pipe `from` is certainly complete for what the pipe `to` starts last.
  [[nodiscard]] bool complete(isa::Pipe from, std::uint32_t number, isa::Pipe to) const {
    return clocks_[isa::index_of(to)][isa::index_of(from)] >= number;
  }

 private:
  static void join(Clock& into, const Clock& from);
  [[nodiscard]] Clock& flag(const isa::Operation& op) {
    return flags_[(isa::index_of(op.flag_from) * isa::kPipeCount + isa::index_of(op.flag_to)) * ids_ + op.flag];
  }

  std::uint32_t ids_;
  std::array<Clock, isa::kPipeCount> clocks_{};
  Clock started_{};
  std::array<RingBuffer<Clock>, isa::kPipeCount> issued_;  ///< what the scalar unit knew, by operation in the queue
  std::vector<Clock> flags_;
};

}  // namespace npu::model
