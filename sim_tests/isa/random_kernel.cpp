#include "sim_tests/isa/random_kernel.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <string>

#include "isa/instructions/instruction_form.hpp"

namespace npu::isa {
namespace {

template <class T>
T any(Random& random) {
  return static_cast<T>(uniform(random, std::numeric_limits<T>::min(), std::numeric_limits<T>::max()));
}
std::uint8_t any_register(Random& random, std::int64_t first = 0) {
  return static_cast<std::uint8_t>(uniform(random, first, kRegisterCount - 1));
}
bool coin(Random& random) { return uniform(random, 0, 1) == 1; }
std::uint16_t index_below(Random& random, std::size_t count) {
  return static_cast<std::uint16_t>(uniform(random, 0, static_cast<std::int64_t>(count) - 1));
}

std::int32_t scalar_bits(Random& random) {
  constexpr std::array<std::uint32_t, 8> kSpecial{0x00000000, 0x80000000, 0x3f800000, 0x7f800000,
                                                  0xff800000, 0x7fc00001, 0x00000001, 0x7f7fffff};
  if (coin(random)) return static_cast<std::int32_t>(kSpecial[index_below(random, kSpecial.size())]);
  return any<std::int32_t>(random);
}

void fill_operand(Random& random, Instruction& ins, const OperandSpec& spec, const Program& program,
                  std::size_t code_size) {
  switch (spec.kind) {
    case OperandKind::RegDst:
    case OperandKind::RegSrc:
      return set_register_field(ins, spec.field, any_register(random));
    case OperandKind::Imm:
      ins.imm = is_bias_operand(ins.opcode, spec.kind) ? index_below(random, program.tiles.size())
                                                       : any<std::int32_t>(random);
      return;
    case OperandKind::Label:
      ins.imm = static_cast<std::int32_t>(uniform(random, 0, static_cast<std::int64_t>(code_size) - 1));
      return;
    case OperandKind::Scalar:
      if (coin(random)) {
        ins.r0 = any_register(random, 1);
      } else {
        ins.imm = scalar_bits(random);
      }
      return;
    case OperandKind::FlagId:
      if (coin(random)) ins.r0 = any_register(random);
      ins.imm = coin(random) ? any<std::int32_t>(random) : static_cast<std::int32_t>(uniform(random, 0, 7));
      return;
    case OperandKind::PipeName: {
      const bool all = ins.opcode == Opcode::PipeBarrier && coin(random);
      return set_descriptor_field(ins, spec.field, all ? kNoDescriptor : index_below(random, kPipeCount));
    }
    case OperandKind::TileDst:
    case OperandKind::TileSrc:
    case OperandKind::TileInOut:
      return set_descriptor_field(ins, spec.field, index_below(random, program.tiles.size()));
    case OperandKind::GmSrc:
    case OperandKind::GmDst:
      return set_descriptor_field(ins, spec.field, index_below(random, program.gms.size()));
  }
}

template <class Enum>
Enum any_of(Random& random, std::size_t count) {
  return static_cast<Enum>(index_below(random, count));
}

TileDesc random_tile(Random& random) {
  TileDesc t;
  t.space = any_of<Space>(random, kSpaceCount);
  t.dtype = any_of<DType>(random, kDTypeNames.size());
  t.layout = any_of<Layout>(random, kLayoutNames.size());
  t.pad = any_of<Pad>(random, kPadNames.size());
  t.offset = any<std::uint32_t>(random);
  t.pitch = any<std::uint32_t>(random);
  t.rows = t.valid_rows = any<std::uint16_t>(random);
  t.cols = t.valid_cols = any<std::uint16_t>(random);
  if (coin(random)) t.valid_rows = any<std::uint16_t>(random);
  if (coin(random)) t.valid_cols = any<std::uint16_t>(random);
  for (std::uint8_t* r : {&t.offset_reg, &t.valid_rows_reg, &t.valid_cols_reg}) {
    if (coin(random)) *r = any_register(random);
  }
  return t;
}

GmDesc random_gm(Random& random) {
  GmDesc g;
  g.dtype = any_of<DType>(random, kDTypeNames.size());
  g.layout = any_of<Layout>(random, kLayoutNames.size());
  g.base_reg = any_register(random);
  g.pitch_reg = coin(random) ? any_register(random) : std::uint8_t{0};
  g.pitch = any<std::uint32_t>(random);
  g.offset = coin(random) ? any<std::int64_t>(random) : 0;
  return g;
}

/// Plain identifiers, repetitions, and strings of whatever a name may hold.
std::string random_name(Random& random) {
  constexpr std::array<std::string_view, 6> kPlain{"acc0", "x_tile", "r1", "mte2", "_", "x_tile_2"};
  constexpr std::array<std::string_view, 10> kPieces{"a",  "9", " ",        "\"",           "\\",
                                                     "//", ";", "\xc3\xa9", "\xe2\x86\x92", "="};
  if (coin(random)) return std::string{kPlain[index_below(random, kPlain.size())]};
  std::string name;
  for (std::int64_t pieces = uniform(random, 0, 6); pieces > 0; --pieces) {
    name += kPieces[index_below(random, kPieces.size())];
  }
  return name;
}

}  // namespace

std::int64_t uniform(Random& random, std::int64_t lo, std::int64_t hi) {
  const std::uint64_t span = static_cast<std::uint64_t>(hi) - static_cast<std::uint64_t>(lo) + 1;  // 0: all 64 bits
  const std::uint64_t draw = random();
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(lo) + (span == 0 ? draw : draw % span));
}

Instruction random_instruction(Random& random, Opcode opcode, std::uint8_t mode, const Program& program,
                               std::size_t code_size) {
  Instruction ins;
  ins.opcode = opcode;
  ins.mode = mode;
  for (const OperandSpec& spec : op_info(opcode).operands) fill_operand(random, ins, spec, program, code_size);
  return ins;
}

Program random_program(Random& random, CoreKind kind) {
  Program program;
  program.name = random_name(random);
  program.kind = kind;
  const std::int64_t tiles = uniform(random, 1, 12), gms = uniform(random, 1, 4);
  for (std::int64_t i = 0; i < tiles; ++i) {
    program.tiles.push_back(random_tile(random));
    program.tile_names.push_back(random_name(random));
  }
  for (std::int64_t i = 0; i < gms; ++i) program.gms.push_back(random_gm(random));
  std::size_t code_size = 0;
  for (const OpInfo& info : instruction_table()) code_size += mode_count(info.mode);
  for (const OpInfo& info : instruction_table()) {
    for (std::size_t mode = 0; mode < mode_count(info.mode); ++mode) {
      program.code.push_back(
          random_instruction(random, info.opcode, static_cast<std::uint8_t>(mode), program, code_size));
    }
  }
  for (std::size_t i = program.code.size() - 1; i > 0; --i) {
    std::swap(program.code[i], program.code[index_below(random, i + 1)]);
  }
  if (coin(random)) {
    for (std::size_t i = 0; i < program.code.size(); ++i) program.source_lines.push_back(any<std::uint32_t>(random));
  }
  return program;
}

KernelObject random_kernel(Random& random) {
  KernelObject object;
  object.name = random_name(random);
  object.blocks = any<std::uint32_t>(random) | 1;
  object.sync_start = coin(random);
  const std::int64_t args = uniform(random, 0, 5);
  for (std::int64_t i = 0; i < args; ++i) {
    ArgInfo& argument = object.args.emplace_back();
    argument = {std::to_string(i) + random_name(random), any_of<ArgKind>(random, 5),
                any_of<DType>(random, kDTypeNames.size())};
    if (argument.kind == ArgKind::Scalar) continue;
    argument.cols = any<std::uint32_t>(random) | 1;
    if (argument.kind == ArgKind::Workspace || coin(random)) argument.rows = any<std::uint32_t>(random) | 1;
  }
  const std::int64_t parts = uniform(random, 1, 3);
  if ((parts & 1) != 0) object.cube = random_program(random, CoreKind::AIC);
  if ((parts & 2) != 0) object.vector = random_program(random, CoreKind::AIV);
  return object;
}

}  // namespace npu::isa
