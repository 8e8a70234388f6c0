// TEXPANDS, TFILLPAD, TCI: tiles from constants.
#include "isa/semantics/lines.hpp"
#include "isa/semantics/operations.hpp"

namespace npu::isa {
namespace {

// Bits of the scalar operand as an element: fp32 rounds to nearest even, integers keep their low bits.
std::uint64_t element_bits(DType type, std::int64_t scalar) {
  const auto bits = static_cast<std::uint64_t>(scalar);
  const float value = std::bit_cast<float>(static_cast<std::uint32_t>(bits));
  switch (type) {
    case DType::F16:
      return to_fp16(value).bits;
    case DType::BF16:
      return to_bf16(value).bits;
    case DType::I8:
    case DType::U8:
    case DType::I16:
    case DType::I32:
    case DType::I64:
    case DType::F32:
      return bits;
  }
  return bits;
}

// Bits of the lowest (or largest) finite value.
std::uint64_t extreme_bits(DType type, bool lowest) {
  const auto choose = [lowest](std::uint64_t low, std::uint64_t high) { return lowest ? low : high; };
  switch (type) {
    case DType::I8:
      return choose(0x80U, 0x7fU);
    case DType::U8:
      return choose(0U, 0xffU);
    case DType::I16:
      return choose(0x8000U, 0x7fffU);
    case DType::I32:
      return choose(0x80000000U, 0x7fffffffU);
    case DType::I64:
      return choose(std::uint64_t{1} << 63, ~(std::uint64_t{1} << 63));
    case DType::F16:
      return choose(0xfbffU, 0x7bffU);
    case DType::BF16:
      return choose(0xff7fU, 0x7f7fU);
    case DType::F32:
      return choose(0xff7fffffU, 0x7f7fffffU);
  }
  return 0;
}

template <class T>
void fill(T* line, std::uint32_t begin, std::uint32_t end, T value) {
  for (std::uint32_t j = begin; j < end; ++j) line[j] = value;
}

void fill_pad(const TileView& valid, const TileView& full, Pad pad) {
  if (pad == Pad::None) return;  // content outside the valid region stays unspecified
  const std::uint64_t bits = pad == Pad::Zero ? 0 : extreme_bits(full.dtype, pad == Pad::Min);
  with_storage_type(full.dtype, [&]<class T>(Type<T>) {
    for (std::uint32_t i = 0; i < full.lines(); ++i) {
      const std::uint32_t begin = i < valid.lines() ? valid.line_length() : 0;
      fill(full.line<T>(i), begin, full.line_length(), static_cast<T>(bits));
    }
  });
}

}  // namespace

void execute_fill(const Instruction& ins, const Operands& o) {
  const TileView& dst = o.t[0];
  switch (ins.opcode) {
    case Opcode::TExpandS:
      return with_storage_type(dst.dtype, [&]<class T>(Type<T>) {
        const T value = static_cast<T>(element_bits(dst.dtype, o.scalar));
        for (std::uint32_t i = 0; i < dst.lines(); ++i) fill(dst.line<T>(i), 0, dst.line_length(), value);
      });
    case Opcode::TFillPad:
      return fill_pad(dst, o.full, o.pad);
    case Opcode::TCi:
      return with_storage_type(dst.dtype, [&]<class T>(Type<T>) {
        const auto first = static_cast<std::uint64_t>(o.scalar);
        for (std::uint32_t c = 0; c < dst.cols; ++c) dst.at<T>(0, c) = static_cast<T>(first + c);
      });
    default:
      NPU_ASSERT(false, "not a fill");
  }
}

}  // namespace npu::isa
