// The timing laws on the round numbers of test_params(); each sum stands beside its case.
#include "model/timing/laws.hpp"

#include <catch2/catch.hpp>
#include <map>

#include "isa/instructions/instruction_table.hpp"
#include "sim_tests/support/test_machine.hpp"

namespace npu::model {
namespace {

using isa::DType;
using isa::Opcode;
using isa::Place;

const Params kParams = test::test_params();
const CoreParams& kCore = kParams.core;

/// rows x cols of `dtype`, rows one after the other, at `offset`.
isa::Access packed(DType dtype, std::uint32_t rows, std::uint32_t cols, std::uint32_t offset = 0) {
  const std::uint32_t bytes = cols * isa::size_of(dtype);
  return {.begin = offset, .pitch = bytes, .lines = rows, .line_bytes = bytes, .dtype = dtype};
}

std::uint64_t vector_cycles(Opcode op, const isa::Access& dst, const isa::Access& a) {
  return vector_cost(kCore, kParams.vector, op, dst, a, nullptr).occupancy;
}

TEST_CASE("a matrix product takes its overhead and a cycle per fractal and pass", "[laws]") {
  const auto cycles = [](DType dtype, std::uint32_t m, std::uint32_t k, std::uint32_t n) {
    return matmul_cost(kCore, isa::a2a3_arch_spec(), dtype, m, k, n).occupancy;
  };
  CHECK(cycles(DType::BF16, 16, 16, 16) == 11);  // 10 + 1 * 1 * 1
  CHECK(cycles(DType::BF16, 1, 1, 1) == 11);     // edges cost whole fractals
  CHECK(cycles(DType::F16, 40, 64, 96) == 82);   // 10 + 3 * 4 * 6
  CHECK(cycles(DType::I8, 16, 64, 16) == 12);    // 10 + 1 * 2 * 1: a fractal holds 32 values of k
  CHECK(cycles(DType::I8, 17, 33, 16) == 14);    // 10 + 2 * 2 * 1
  CHECK(cycles(DType::F32, 16, 16, 16) == 14);   // 10 + 1 * 2 * 1 * 2 passes: 8 values of k, 4 a cycle
  CHECK(matmul_cost(kCore, isa::a2a3_arch_spec(), DType::F32, 16, 16, 16).result == 50);
}

TEST_CASE("a move from L1 takes its startup and the width of its destination", "[laws]") {
  CHECK(mte1_cost(kCore, Place::L0A, 4096, false).occupancy == 36);  // 20 + 4096 / 256
  CHECK(mte1_cost(kCore, Place::L0B, 4096, false).occupancy == 52);  // 20 + 4096 / 128
  CHECK(mte1_cost(kCore, Place::BT, 64, false).occupancy == 22);     // 20 + 64 / 32
  CHECK(mte1_cost(kCore, Place::L0A, 100, false).occupancy == 21);   // 20 + a part of a cycle
  CHECK(mte1_cost(kCore, Place::L0A, 4096, true).occupancy == 45);   // 36 * 1.25: the loader fills the same L1
  CHECK(mte1_cost(kCore, Place::L0A, 4096, false).result == 0);
}

TEST_CASE("an accumulator leaves at the slower of its read and its write", "[laws]") {
  CHECK(fix_l1_cost(kCore, 4096, 2048).occupancy == 62);         // 30 + max(4096 / 128, 2048 / 128)
  CHECK(fix_l1_cost(kCore, 4096, 8192).occupancy == 94);         // 30 + 8192 / 128
  CHECK(fix_port_cycles(kCore, 4096, 1024) == Approx(30 + 32));  // max(4096 / 128, 1024 / 64)
  CHECK(fix_port_cycles(kCore, 4096, 4096) == Approx(30 + 64));  // 4096 / 64
}

TEST_CASE("a load into L1 pays for its rows, one by one", "[laws]") {
  const auto cycles = [](std::uint32_t lines, std::uint32_t bytes, std::int64_t pitch) {
    return mte2_port_cycles(kCore, Place::L1, lines, bytes, pitch);
  };
  CHECK(cycles(1, 512, 512) == Approx(20));     // gap 10 + 2 + 512 / 64
  CHECK(cycles(16, 512, 1024) == Approx(170));  // 10 + 16 * (2 + 8)
  CHECK(cycles(16, 512, 512) == Approx(170));   // contiguous or not
  CHECK(cycles(16, 512, 1000) == Approx(330));  // 10 + 16 * (2 + 8) * 2: rows off the 512-byte grid
  CHECK(cycles(1, 512, 1000) == Approx(20));    // a single row has no stride
}

TEST_CASE("a load into UB pays for its bytes, or for rows shorter than the row time", "[laws]") {
  const auto cycles = [](std::uint32_t lines, std::uint32_t bytes, std::int64_t pitch) {
    return mte2_port_cycles(kCore, Place::UB, lines, bytes, pitch);
  };
  CHECK(cycles(16, 512, 512) == Approx(138));   // 10 + 8192 / 64
  CHECK(cycles(16, 512, 1024) == Approx(138));  // 10 + 16 * 8
  CHECK(cycles(16, 64, 512) == Approx(42));     // 10 + 16 * max(1, 2)
  CHECK(cycles(16, 64, 64) == Approx(26));      // 10 + 1024 / 64: contiguous rows are one piece
  CHECK(cycles(16, 512, 1000) == Approx(202));  // 10 + 16 * 8 * 1.5
}

TEST_CASE("a row stride off the grid costs the factor of its destination", "[laws]") {
  CHECK(mte2_misaligned_factor(kCore, Place::L1, 2, 64, 1024) == Approx(1));
  CHECK(mte2_misaligned_factor(kCore, Place::L1, 2, 64, 1000) == Approx(2));
  CHECK(mte2_misaligned_factor(kCore, Place::UB, 2, 64, 1000) == Approx(1.5));
  CHECK(mte2_misaligned_factor(kCore, Place::UB, 1, 64, 1000) == Approx(1));
  CHECK(mte2_misaligned_factor(kCore, Place::UB, 2, 64, 64) == Approx(1));  // adjacent rows: one piece
  CHECK(mte2_misaligned_factor(kCore, Place::L1, 2, 64, 64) == Approx(2));  // L1 takes row by row
}

TEST_CASE("a store from UB pays for its bytes, a cycle at least", "[laws]") {
  CHECK(mte3_port_cycles(kCore, 4096) == Approx(64));  // 4096 / 64
  CHECK(mte3_port_cycles(kCore, 4) == Approx(1));
}

TEST_CASE("a vector instruction takes the fixed time and the slope of its kind", "[laws]") {
  // Four repeats of 256 bytes, packed. Simple 20 + 4 * 1, special 30 + 4 * 2, reductions 40 + 4 * 7.
  using enum Opcode;
  const std::map<Opcode, std::uint64_t> expected{
      {TAdd, 24},          {TSub, 24},          {TMul, 24},          {TMax, 24},          {TMin, 24},
      {TAddS, 24},         {TMulS, 24},         {TMaxS, 24},         {TMinS, 24},         {TAbs, 24},
      {TNeg, 24},          {TCopy, 24},         {TMov, 24},          {TRsqrt, 24},        {TRecip, 24},
      {TFillPad, 24},      {TExpandS, 24},      {TCi, 24},           {TRowExpand, 24},    {TRowExpandAdd, 24},
      {TRowExpandSub, 24}, {TRowExpandMul, 24}, {TColExpand, 24},    {TColExpandAdd, 24}, {TColExpandMul, 24},
      {TCvt, 24},          {TColSum, 24},       {TColMax, 24},       {TColMin, 24},       {TDiv, 38},
      {TDivS, 38},         {TSDiv, 38},         {TRowExpandDiv, 38}, {TExp, 38},          {TLog, 38},
      {TSqrt, 38},         {TRowSum, 68},       {TRowMax, 68},       {TRowMin, 68},       {TTrans, 24},
      {TGather, 68},      // 20 + 4 * 12
      {TGatherMask, 28},  // 20 + 4 * 2
      {TSort32, 148},     // 20 + 16 for each of 8 blocks of 32 values
      {TMrgSort, 84},     // 20 + 0.5 for each of 128 pairs of 8 bytes
  };
  const isa::Access tile = packed(DType::F32, 4, 64);
  for (const isa::OpInfo& row : isa::instruction_table()) {
    if (row.op_class != isa::OpClass::Vector) continue;
    INFO(row.mnemonic);
    REQUIRE(expected.contains(row.opcode));
    CHECK(vector_cycles(row.opcode, tile, tile) == expected.at(row.opcode));
    CHECK(vector_cost(kCore, kParams.vector, row.opcode, tile, tile, nullptr).result == 10);
  }
}

TEST_CASE("special functions are slower on 16-bit values", "[laws]") {
  const isa::Access half = packed(DType::F16, 4, 128);   // four repeats
  CHECK(vector_cycles(Opcode::TExp, half, half) == 46);  // 30 + 4 * 4
  CHECK(vector_cycles(Opcode::TAdd, half, half) == 24);
}

TEST_CASE("rows that do not fill a repeat cost one each, unless they are packed", "[laws]") {
  const isa::Access short_rows{.pitch = 64, .lines = 8, .line_bytes = 32, .dtype = DType::F32};
  CHECK(vector_cycles(Opcode::TAdd, short_rows, short_rows) == 28);  // 20 + 8
  const isa::Access same_packed = packed(DType::F32, 8, 8);          // 256 bytes in all
  CHECK(vector_cycles(Opcode::TAdd, same_packed, same_packed) == 21);
  const isa::Access long_rows{.pitch = 288, .lines = 2, .line_bytes = 260, .dtype = DType::F32};
  CHECK(vector_cycles(Opcode::TAdd, long_rows, long_rows) == 24);  // 20 + 2 * 2
}

TEST_CASE("a cast is paid by its wider side, a reduction by its source, a broadcast by its result", "[laws]") {
  const isa::Access wide = packed(DType::F32, 4, 64), narrow = packed(DType::I8, 4, 64);
  CHECK(vector_cycles(Opcode::TCvt, narrow, wide) == 24);
  CHECK(vector_cycles(Opcode::TCvt, wide, narrow) == 24);
  const isa::Access column = packed(DType::F32, 1, 4), row = packed(DType::F32, 1, 64);
  CHECK(vector_cycles(Opcode::TRowSum, column, wide) == 68);  // 40 + 4 * 7
  CHECK(vector_cycles(Opcode::TColSum, row, wide) == 24);
  CHECK(vector_cycles(Opcode::TColExpand, wide, row) == 24);
}

TEST_CASE("sources in the same bank group are read one after the other", "[laws]") {
  const isa::Access dst = packed(DType::F32, 4, 64, 8192), a = packed(DType::F32, 4, 64, 0);
  const auto with = [&](std::uint32_t offset) {
    const isa::Access b = packed(DType::F32, 4, 64, offset);
    return vector_cost(kCore, kParams.vector, Opcode::TAdd, dst, a, &b).occupancy;
  };
  CHECK(with(1024) == 28);  // 20 + 4 * 2: 1024 / 32 is group 0 of 16, like offset 0
  CHECK(with(1056) == 24);  // group 1
  CHECK(with(0) == 24);     // the same rows are read once
}

}  // namespace
}  // namespace npu::model
