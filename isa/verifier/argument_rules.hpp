// Rules of a kernel's arguments: who names them, reads them, and may write what they point to.
#pragma once

#include <vector>

#include "isa/program.hpp"
#include "isa/verifier/report.hpp"

namespace npu::isa {

/// Two arguments of one name: nobody could bind or save them.
void check_argument_names(const std::vector<ArgInfo>& args, Report& report);

/// ldarg of an argument that the kernel has not, and writes to an input as far as the text decides them: through a
/// register that a single instruction of the program writes, an ldarg. The others are refused when they happen.
void check_argument_uses(const Program& program, const std::vector<ArgInfo>& args, Report& report);

}  // namespace npu::isa
