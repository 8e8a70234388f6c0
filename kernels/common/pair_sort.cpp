#include "kernels/common/pair_sort.hpp"

#include <optional>

namespace npu::kernels {

using isa::DType;
using isa::Layout;
using isa::Opcode;
using isa::Reg;
using isa::Tile;
using isa::Value;

namespace {

/// Two elements for each of `pairs`, a register or a constant.
class ElementsOf {
 public:
  explicit ElementsOf(const Value& pairs) : constant_{2 * pairs.imm()} {
    if (pairs.reg() != nullptr) register_.emplace(*pairs.reg() * 2);
  }
  [[nodiscard]] Value value() const { return register_ ? Value{*register_} : Value{constant_}; }

 private:
  std::int64_t constant_;
  std::optional<Reg> register_;
};

}  // namespace

PairSort::PairSort(isa::PartBuilder& part, std::uint32_t rows, std::uint32_t width)
    : part_{part},
      width_{width},
      pairs_{part.ub(DType::F32, rows, 2 * width, "pairs"), part.ub(DType::F32, rows, 2 * width, "merged")} {}

void PairSort::sort(const Tile& value, const Tile& index, const Value& rows, const Value& cols) {
  const ElementsOf elements{cols};
  const auto valid = [&](std::size_t i) { return pairs_[i].valid(rows, elements.value()); };
  sorted_ = 0;
  part_.vec(Opcode::TSort32, valid(0), value.valid(rows, cols), index.valid(rows, cols));
  // A row of fewer columns may be one run already: merging a single run copies it.
  for (std::uint32_t run = kRun; run < width_; run *= 4, sorted_ = 1 - sorted_)
    part_.tmrgsort(valid(1 - sorted_), valid(sorted_), run);
}

void PairSort::take_indices(const Tile& dst, const Value& rows, const Value& count) {
  constexpr std::uint8_t kOddLanes = 1;
  const ElementsOf elements{count};
  const Tile& best = pairs_[sorted_];
  const Tile bits = best.reshape(DType::I32, best.rows(), 2 * width_, Layout::ND);
  part_.tgather_mask(dst.valid(rows, count), bits.valid(rows, elements.value()), kOddLanes);
}

void PairSort::take_values(const Tile& dst, const Value& rows, const Value& count) {
  constexpr std::uint8_t kEvenLanes = 0;
  const ElementsOf elements{count};
  part_.tgather_mask(dst.valid(rows, count), pairs_[sorted_].valid(rows, elements.value()), kEvenLanes);
}

}  // namespace npu::kernels
