// An instruction at the moment it issues, as one value: what it touches, on which pipe it runs, its flag, its scalar
// and where it stands. Whoever asks what an instruction reads and writes asks this value.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "isa/arch_spec.hpp"
#include "isa/program.hpp"
#include "isa/units.hpp"
#include "isa/violation.hpp"

namespace npu::isa {

enum class AccessKind : std::uint8_t {
  Read,
  Write,
  ReadWrite,  ///< all of it is read before it is written
  Add,        ///< added to atomically
};
[[nodiscard]] constexpr bool reads(AccessKind k) { return k == AccessKind::Read || k == AccessKind::ReadWrite; }
[[nodiscard]] constexpr bool writes(AccessKind k) { return k != AccessKind::Read; }

/// Bytes that an instruction touches: `lines` pieces of `line_bytes`, `pitch` apart.
struct Access {
  std::uint64_t begin = 0;  ///< from the start of the space, or address in global memory
  std::int64_t pitch = 0;   ///< bytes between lines
  std::uint32_t lines = 0, line_bytes = 0;
  Place place = Place::UB;
  AccessKind kind = AccessKind::Read;
  DType dtype = DType::F32;
  Layout layout = Layout::ND;  ///< column-major: a line is a column
  bool known = true;           ///< false: registers that were not given decide where it lies, or its extent

  [[nodiscard]] constexpr bool empty() const { return lines == 0 || line_bytes == 0; }
  [[nodiscard]] std::uint64_t bytes() const { return std::uint64_t{lines} * line_bytes; }
  /// From the first to the last byte.
  [[nodiscard]] constexpr std::uint64_t extent() const {
    return extent_of_lines(lines, line_bytes, static_cast<std::uint64_t>(pitch));
  }
  [[nodiscard]] std::uint32_t rows() const { return is_column_major(layout) ? line_bytes / size_of(dtype) : lines; }
  [[nodiscard]] std::uint32_t cols() const { return is_column_major(layout) ? lines : line_bytes / size_of(dtype); }
  bool operator==(const Access&) const = default;
};

/// Whether the extents of the two share a byte.
[[nodiscard]] constexpr bool overlap(const Access& a, const Access& b) {
  if (a.place != b.place || a.empty() || b.empty()) return false;
  return a.begin < b.begin + b.extent() && b.begin < a.begin + a.extent();
}

struct Operation {
  const Program* program = nullptr;  ///< outlives the operation
  std::uint32_t index = 0;           ///< of the instruction in its program
  Opcode opcode = Opcode::Nop;
  Pipe pipe = Pipe::S;                          ///< that runs it
  Pipe flag_from = Pipe::S, flag_to = Pipe::S;  ///< of SETFLAG and WAITFLAG; SETCROSS: from
  std::uint8_t count = 0;                       ///< accesses
  std::uint32_t flag = 0;                       ///< id of the flag that is set or waited for
  std::int64_t scalar = 0;                      ///< Scalar operand: register value, or the sign-extended immediate
  /// By descriptor field t0, t1, t2. One more follows where the fields do not say all: TMATMULBIAS reads its bias tile,
  /// TFILLPAD, whose t0 is the valid region, writes the whole tile. Cells, scalar loads and stores touch one element.
  /// DCCI has none: what it writes back is not the instruction's.
  std::array<Access, 4> accesses;

  [[nodiscard]] const Instruction& ins() const { return program->code[index]; }
  [[nodiscard]] std::span<const Access> touched() const { return {accesses.data(), count}; }
  /// What a mover exchanges with global memory; null for other instructions, and where that is nothing.
  [[nodiscard]] const Access* transfer() const {
    const bool moves = count == 2 && accesses[1].place == Place::Gm && !accesses[1].empty();
    return moves ? &accesses[1] : nullptr;
  }
};

using Registers = std::array<std::int64_t, kRegisterCount>;

/// What LDGM and STGM access.
[[nodiscard]] constexpr std::uint64_t scalar_address(const Instruction& ins, const Registers& registers) {
  return static_cast<std::uint64_t>(registers[ins.r1]) + static_cast<std::uint64_t>(std::int64_t{ins.imm});
}

/// The queue that executes the instruction: S for scalar and communication instructions; movers by their data path.
/// SETFLAG and SETCROSS go to the pipe they name, WAITFLAG to the waiting pipe, PIPEBARRIER to its pipe (all: S).
/// Requires a data path (verifier).
[[nodiscard]] Pipe pipe_of(const Instruction& ins, const Program& program, const ArchSpec& arch);

/// Where a mover takes its data from and where it puts it.
struct Move {
  Place from, to;
};
[[nodiscard]] Move moved_between(const Instruction& ins, const Program& program);

/// Instruction `index` of the program with these register values, or the rule that they break: extents, placement,
/// shapes, flag ids, sub-tile origins, alignment of scalars in global memory. Without registers (null) what they decide
/// is unknown and passes. Requires a structurally sound program whose fields, spaces and layouts the verifier accepts.
/// `out` is meaningful when nothing is returned. No allocation when nothing is wrong.
[[nodiscard]] std::optional<Violation> resolve(const Program& program, std::uint32_t index, const Registers* registers,
                                               const ArchSpec& arch, Operation& out);

}  // namespace npu::isa
