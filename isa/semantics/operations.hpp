// The groups of instructions behind execute(), one source file each.
#pragma once

#include "isa/program.hpp"
#include "isa/semantics/semantics.hpp"

namespace npu::isa {

void execute_mover(const Instruction& ins, const Operands& operands);
void execute_matmul(const Instruction& ins, const Operands& operands);
void execute_binary(const Instruction& ins, const Operands& operands);
void execute_unary(const Instruction& ins, const Operands& operands);
void execute_cast(const Instruction& ins, const Operands& operands);
void execute_reduction(const Instruction& ins, const Operands& operands);
void execute_expand(const Instruction& ins, const Operands& operands);
void execute_fill(const Instruction& ins, const Operands& operands);
void execute_permute(const Instruction& ins, const Operands& operands);
void execute_sort(const Instruction& ins, const Operands& operands);

}  // namespace npu::isa
