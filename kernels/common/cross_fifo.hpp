// TPUSH/TPOP of a mixed task: a ring of tiles in GM between the cube core and the two vector cores of a cluster. Either
// side may be the writer; what the two vector cores write or read together is one slot.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "isa/builder/part_builder.hpp"

namespace npu::kernels {

/// Shape of the ring; every block owns `slots` x [rows, cols] of the workspace argument.
struct CrossFifo {
  std::uint32_t slots, rows, cols;
  isa::DType dtype;
  std::uint32_t full_id, free_id;  ///< cross-core flags: slot filled (writer sets), slot free again (readers set)
  [[nodiscard]] std::uint64_t bytes() const { return std::uint64_t{slots} * rows * cols * isa::size_of(dtype); }
};

/// Position in the block's part of the workspace: the row of the current slot.
class CrossFifoCursor {
 public:
  /// Throws ProgramError where the card's cross-core counters do not reach the number of slots.
  CrossFifoCursor(isa::PartBuilder& part, const CrossFifo& fifo, isa::GmTensor workspace, const isa::Reg& block);

 protected:
  void advance();
  isa::PartBuilder& part_;
  CrossFifo fifo_;
  isa::GmTensor workspace_;  ///< of this block
  isa::Reg row_;             ///< first row of the current slot
};

/// The writing side: the cube core, or both vector cores.
class CrossFifoWriter : private CrossFifoCursor {
 public:
  using CrossFifoCursor::CrossFifoCursor;
  using Body = std::function<void(const isa::GmTensor&, const isa::Reg&)>;
  /// Waits for a free slot, runs `body(workspace, first row of the slot)`, announces the slot once `pipe` has stored
  /// it.
  void put(isa::Pipe pipe, const Body& body);
  /// Stores the accumulator's valid region into the next free slot and announces it.
  void put(const isa::Tile& acc);
  /// At the end: waits until the readers have freed every slot, which leaves the flag at zero.
  void drain();
};

/// The reading side: the cube core, or both vector cores, each its part of every slot.
class CrossFifoReader : private CrossFifoCursor {
 public:
  /// Declares all slots free.
  CrossFifoReader(isa::PartBuilder& part, const CrossFifo& fifo, isa::GmTensor workspace, const isa::Reg& block);
  /// Waits for the next slot, runs `body(workspace, first row of the slot)`, frees it once MTE2 has read it.
  void get(const std::function<void(const isa::GmTensor&, const isa::Reg&)>& body);
};

}  // namespace npu::kernels
