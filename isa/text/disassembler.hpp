// Instructions, descriptors and kernels as text (isa/README.md, "Text form").
#pragma once

#include <string>
#include <vector>

#include "isa/instructions/instruction_table.hpp"
#include "isa/program.hpp"

namespace npu::isa {

/// Text of one instruction after another of one program, which must outlive it. Any word is shown, legal or not:
/// descriptors that the program does not have as tile#N or gm#N, unknown opcodes by number.
class Disassembler {
 public:
  explicit Disassembler(const Program& program);
  /// One line, without label or indentation.
  [[nodiscard]] std::string line(const Instruction& ins) const;
  /// The identifier that the text uses for a tile; tile_names made unique.
  [[nodiscard]] std::string tile_name(std::size_t index) const;

 private:
  [[nodiscard]] std::string operand(const Instruction& ins, const OperandSpec& spec) const;
  [[nodiscard]] std::string scalar(const Instruction& ins) const;

  const Program* program_;
  std::vector<std::string> tile_names_;
};

/// One instruction alone; a Disassembler is faster for many.
[[nodiscard]] std::string disassemble(const Instruction& ins, const Program& program);

/// "instruction 3 (k.npu:12) `tload a, src`": where an instruction stands, with the source as far as the program knows
/// it.
[[nodiscard]] std::string instruction_text(const Program& program, std::size_t index);

/// A whole .npu file, which assemble() turns back into the same object. source_lines are not written: an assembled
/// program has the line numbers of its own text. Throws ProgramError if the object is not structurally sound.
[[nodiscard]] std::string to_text(const KernelObject& object);

}  // namespace npu::isa
