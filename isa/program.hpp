// The contract between kernels and the machine: instructions, descriptors, programs, kernel objects.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "isa/instructions/opcode.hpp"
#include "isa/types.hpp"

namespace npu::isa {

inline constexpr std::uint16_t kNoDescriptor = 0xffff;
inline constexpr std::size_t kRegisterCount = 32;  ///< 64-bit scalar registers; r0 reads as 0

/// One instruction: 16 bytes, the same in memory and on file. Which field means what is the instruction table's row
/// (instruction_table.hpp).
struct Instruction {
  Opcode opcode = Opcode::Nop;
  std::uint8_t mode = 0;  ///< rounding, comparison, dtype, ... by opcode
  std::uint16_t t0 = kNoDescriptor, t1 = kNoDescriptor, t2 = kNoDescriptor;  ///< tile or GM descriptors, or pipes
  std::uint8_t r0 = 0, r1 = 0, r2 = 0, r3 = 0;
  std::int32_t imm = 0;
  bool operator==(const Instruction&) const = default;
};
static_assert(sizeof(Instruction) == 16);

/// A typed 2-D block in one on-chip space. Register fields: 0 means "none" (r0).
struct TileDesc {
  Space space = Space::UB;
  DType dtype = DType::F32;
  Layout layout = Layout::ND;
  Pad pad = Pad::None;
  std::uint32_t offset = 0;                      ///< bytes from the start of the space
  std::uint32_t pitch = 0;                       ///< bytes between lines (a row, or a column of DN and ZNt)
  std::uint16_t rows = 0, cols = 0;              ///< extent that the tile owns
  std::uint16_t valid_rows = 0, valid_cols = 0;  ///< extent that operations touch, unless a register says otherwise
  std::uint8_t offset_reg = 0;                   ///< bytes added to offset when the instruction issues
  std::uint8_t valid_rows_reg = 0, valid_cols_reg = 0;
  bool operator==(const TileDesc&) const = default;
};

/// A 2-D view of global memory; rows and columns come from the tile that is moved.
struct GmDesc {
  DType dtype = DType::F32;
  Layout layout = Layout::ND;  ///< ND, or DN: lines of the view are columns of the tile
  std::uint8_t base_reg = 0;   ///< byte address
  std::uint8_t pitch_reg = 0;  ///< bytes between lines; 0: use pitch
  std::uint32_t pitch = 0;     ///< bytes between lines
  std::int64_t offset = 0;     ///< bytes added to the base
  bool operator==(const GmDesc&) const = default;
};

/// Workspace: a tensor that the runtime allocates for each task, of the stated shape; nobody else reads it.
enum class ArgKind : std::uint8_t { In, Out, InOut, Scalar, Workspace };
struct ArgInfo {
  std::string name;
  ArgKind kind = ArgKind::In;
  DType dtype = DType::F32;
  std::uint32_t rows = 0, cols = 0;  ///< of the tensor; 0: not stated
  bool operator==(const ArgInfo&) const = default;
  /// Of a tensor whose shape is stated.
  [[nodiscard]] std::uint64_t bytes() const { return std::uint64_t{rows} * cols * size_of(dtype); }
};

/// Code of one core of a task.
struct Program {
  std::string name;  ///< kernel name, for messages and traces
  CoreKind kind = CoreKind::AIV;
  std::vector<Instruction> code;
  std::vector<TileDesc> tiles;
  std::vector<GmDesc> gms;
  std::vector<std::string> tile_names;      ///< one per tile descriptor
  std::vector<std::uint32_t> source_lines;  ///< one per instruction (line of the kernel source), or empty
  std::string source_file;                  ///< that all lines are of; empty where it is not known or not one
  bool operator==(const Program&) const = default;
};

/// What a task runs: a cube part, a vector part, or both (mixed: one AIC and its two AIVs together).
struct KernelObject {
  std::string name;
  std::vector<ArgInfo> args;  ///< tensors (passed as GM addresses) and scalars, in LDARG order, shared by both parts
  std::uint32_t blocks = 1;   ///< SPMD blocks of a task, unless who launches it says otherwise
  bool sync_start = false;    ///< the blocks wait for each other, so all must have a core before one starts
  std::optional<Program> cube;
  std::optional<Program> vector;
  bool operator==(const KernelObject&) const = default;
};

}  // namespace npu::isa
