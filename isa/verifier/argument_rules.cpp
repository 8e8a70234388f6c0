#include "isa/verifier/argument_rules.hpp"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <set>
#include <string>

#include "isa/instructions/instruction_form.hpp"
#include "isa/text/names.hpp"

namespace npu::isa {
namespace {

/// What a register holds wherever an instruction reads it, if that is known.
struct RegisterUse {
  std::size_t writers = 0;
  std::optional<std::size_t> argument;
};
using RegisterUses = std::array<RegisterUse, kRegisterCount>;

RegisterUses register_uses(const Program& program) {
  RegisterUses uses;
  for (const Instruction& ins : program.code) {
    for (const OperandSpec& operand : op_info(ins.opcode).operands) {
      if (operand.kind != OperandKind::RegDst) continue;
      RegisterUse& use = uses[register_field(ins, operand.field)];
      ++use.writers;
      if (ins.opcode == Opcode::LdArg) use.argument = static_cast<std::size_t>(ins.imm);
    }
  }
  return uses;
}

/// The register with the address that the instruction writes to; 0 for none.
std::uint8_t written_address(const Instruction& ins, const Program& program) {
  switch (ins.opcode) {
    case Opcode::TStore:
      return program.gms[ins.t1].base_reg;
    case Opcode::StGm:
      return ins.r1;
    case Opcode::TNotify:
      return ins.r0;
    default:
      return 0;
  }
}

}  // namespace

void check_argument_names(const std::vector<ArgInfo>& args, Report& report) {
  std::set<std::string_view> names;
  for (const ArgInfo& arg : args) {
    if (names.insert(arg.name).second) continue;
    report.add_program({Stage::Parse, fmt::format("two arguments are called {}", written_name(arg.name)),
                        "every argument has a name of its own", "rename one"});
  }
}

void check_argument_uses(const Program& program, const std::vector<ArgInfo>& args, Report& report) {
  const RegisterUses uses = register_uses(program);
  for (std::size_t i = 0; i < program.code.size(); ++i) {
    const Instruction& ins = program.code[i];
    if (ins.opcode == Opcode::LdArg && (ins.imm < 0 || static_cast<std::size_t>(ins.imm) >= args.size())) {
      report.add_instruction(i, {Stage::Type, fmt::format("reads argument {}", ins.imm),
                                 fmt::format("the kernel has {} arguments", args.size()), "declare the argument"});
    }
    const std::uint8_t r = written_address(ins, program);
    const auto argument = r != 0 && uses[r].writers == 1 ? uses[r].argument : std::nullopt;
    if (argument && *argument < args.size() && args[*argument].kind == ArgKind::In) {
      report.add_instruction(i, {Stage::Type, fmt::format("writes to argument {}", written_name(args[*argument].name)),
                                 "a kernel writes its out and inout arguments",
                                 "declare the argument out or inout, or write to another one"});
    }
  }
}

}  // namespace npu::isa
