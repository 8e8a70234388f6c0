// Addresses on other cards, and the meetings of all cards, that dispatch and combine share.
//
// Cells only ever count up, because a cell that is cleared can lose an addition that is on its way. The n-th exchange
// over the same windows, n = 0 being the first, is epoch n: its meetings wait for n + 1 times the additions of one
// exchange. A card adds for epoch n + 1 after all that it adds for epoch n, so a cell that has reached the count of an
// epoch holds every addition of that epoch.
#pragma once

#include "isa/builder/part_builder.hpp"

namespace npu::kernels {

/// Windows lie at the same offset on every card, so a peer's address is the own one plus a multiple of the card stride.
class ExchangeLinks {
 public:
  /// Reads this card's rank; the part lives longer.
  ExchangeLinks(isa::PartBuilder& part, std::uint32_t ranks);

  [[nodiscard]] const isa::Reg& rank() const { return rank_; }
  [[nodiscard]] std::uint32_t ranks() const { return ranks_; }
  /// Bytes from an address of this card to the same place on card `peer`.
  [[nodiscard]] isa::Reg distance(const isa::Reg& peer) const { return (peer - rank_) * card_stride_; }
  /// View of a peer's window that starts at element (row, col).
  [[nodiscard]] static isa::Gm at(const isa::GmTensor& window, const isa::Value& row, const isa::Value& col,
                                  const isa::Reg& distance);

  enum class Cards : std::uint8_t { Others, All };
  /// Adds 1 to the cell of this rank on the other cards, or on all of them. What this core has stored and notified
  /// before is in memory by then: a notify does not wait for MTE3 (runtime.md 2.3, rules 1 and 8).
  void announce(const isa::GmTensor& cells, Cards cards);
  /// Waits until the cell of every other rank, or of all ranks, on this card has reached `count`.
  void await(const isa::GmTensor& cells, const isa::Reg& count, Cards cards);

 private:
  void for_each(Cards cards, const std::function<void(const isa::Reg&)>& body);

  isa::PartBuilder& part_;
  std::uint32_t ranks_;
  isa::Reg rank_, card_stride_;
};

}  // namespace npu::kernels
