// Multi-buffering as an object: n slots of one or several tiles between a producing and a consuming pipe.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "isa/builder/operands.hpp"

namespace npu::isa {

/// Program order of one use:
///   ring.produce();  ...producer writes ring[i]...  ring.push();
///   ring.consume();  ...consumer reads ring[i]...   ring.pop();
/// Each call emits one flag instruction; pop() also moves to the next slot. Because pipes run asynchronously, the
/// producer's next slot fills while the consumer works on this one.
class Ring {
 public:
  Ring(PartBuilder& part, std::uint32_t slots, Pipe producer, Pipe consumer, std::vector<Tile> members);
  Ring(Ring&&) = default;

  /// Member i in the current slot.
  [[nodiscard]] const Tile& operator[](std::size_t i) const { return members_[i]; }
  void produce();  ///< producer waits until the slot is free
  void push();     ///< slot is full once the producer has retired what came before
  void consume();  ///< consumer waits until the slot is full
  void pop();      ///< slot is free once the consumer has retired what came before; advance

 private:
  friend class PartBuilder;
  void flag(Opcode op, Pipe from, Pipe to, std::uint32_t base);
  void drain();  ///< called by the part's end: leaves no flag set

  PartBuilder* part_;
  std::uint32_t slots_;
  Pipe producer_, consumer_;
  std::vector<Tile> members_;
  std::uint32_t full_ = 0, free_ = 0;  ///< first flag id of each direction
  std::uint32_t stride_ = 0;           ///< bytes from slot to slot
  std::optional<Reg> slot_, offset_;   ///< present when slots > 1
};

}  // namespace npu::isa
