#include "kernels/moe/exchange_links.hpp"

namespace npu::kernels {

using namespace isa;

ExchangeLinks::ExchangeLinks(PartBuilder& part, std::uint32_t ranks)
    : part_{part},
      ranks_{ranks},
      rank_{part.special(SpecialReg::CardRank)},
      card_stride_{part.imm(std::int64_t{1} << kCardShift)} {}

Gm ExchangeLinks::at(const GmTensor& window, const Value& row, const Value& col, const Reg& distance) {
  Gm view = window.at(row, col);
  view.base += distance;
  return view;
}

void ExchangeLinks::for_each(Cards cards, const std::function<void(const Reg&)>& body) {
  if (cards == Cards::Others && ranks_ == 1) return;
  part_.for_range(0, ranks_, 1, [&](const Reg& peer) {
    if (cards == Cards::All) {
      body(peer);
    } else {
      part_.if_(peer != rank_, [&] { body(peer); });
    }
  });
}

void ExchangeLinks::announce(const GmTensor& cells, Cards cards) {
  part_.barrier_all();
  part_.dsb();
  const Reg own_cell = cells.address(rank_, 0), one = part_.imm(1);
  for_each(cards, [&](const Reg& peer) { part_.notify_add(own_cell + distance(peer), one); });
}

void ExchangeLinks::await(const GmTensor& cells, const Reg& count, Cards cards) {
  for_each(cards, [&](const Reg& source) { part_.wait_cell(CompareMode::Ge, cells.address(source, 0), count); });
}

}  // namespace npu::kernels
