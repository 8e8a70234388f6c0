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
  CHECK(fix_l1_cost(kCore, 4096, 2048).occupancy == 62);  // 30 + max(4096 / 128, 2048 / 128)
  CHECK(fix_l1_cost(kCore, 4096, 8192).occupancy == 94);  // 30 + 8192 / 128
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

TEST_CASE("sources whose repeats meet in a bank group are read one after the other", "[laws]") {
  const isa::Access dst = packed(DType::F32, 4, 64, 65'536), a = packed(DType::F32, 4, 64, 0);
  const auto with = [&](std::uint32_t offset) {
    const isa::Access b = packed(DType::F32, 4, 64, offset);
    return vector_cost(kCore, kParams.vector, Opcode::TAdd, dst, a, &b).occupancy;
  };
  CHECK(with(1024) == 28);        // 20 + 4 * 2: groups 0 to 7 both
  CHECK(with(1024 + 32) == 28);   // 1 to 8 meet 0 to 7
  CHECK(with(1024 + 256) == 24);  // 8 to 15 do not
  CHECK(with(1024 + 480) == 28);  // 15 and 0 to 6
  CHECK(with(0) == 24);           // the same rows are read once
}

TEST_CASE("a result that meets a source in its banks waits, unless it begins in the source's bank", "[laws]") {
  const auto with = [&](std::uint32_t source, std::uint32_t result) {
    const isa::Access a = packed(DType::F32, 4, 64, source), dst = packed(DType::F32, 4, 64, result);
    return vector_cost(kCore, kParams.vector, Opcode::TAddS, dst, a, nullptr).occupancy;
  };
  CHECK(with(0, 16'384 + 32) == 26);  // 20 + 4 * 1.5: banks 1 to 8 meet 0 to 7
  CHECK(with(0, 16'384) == 24);       // written a repeat later
  CHECK(with(0, 0) == 24);            // in place
  CHECK(with(0, 16'384 + 256) == 24);
  CHECK(with(0, 65'536 + 32) == 24);  // other banks
}

TEST_CASE("long rows are reduced by additions or by groups, whichever is faster", "[laws]") {
  const auto reduced = [](DType dtype, std::uint32_t rows, std::uint32_t cols) {
    return vector_cycles(Opcode::TRowMax, packed(dtype, 1, rows), packed(dtype, rows, cols));
  };
  CHECK(reduced(DType::F32, 8, 64) == 96);   // 40 + 8 * 7
  CHECK(reduced(DType::F32, 8, 32) == 96);   // a row takes a repeat, however short
  CHECK(reduced(DType::F32, 1, 128) == 78);  // one addition 20 + 10 + 1, then 40 + 7
  // 32 rows of 4 repeats by groups: 35 + 128 leave 32 values a row, two additions 20 + 8 and 20 + 4 leave 8, 35 + 4;
  // three barriers of 10. By additions: 3 * (20 + 10 + 32) + 40 + 32 * 7 = 450.
  CHECK(reduced(DType::F32, 32, 256) == 284);
  CHECK(reduced(DType::F16, 32, 512) == 450);  // 16-bit rows only by additions
}

}  // namespace
}  // namespace npu::model
