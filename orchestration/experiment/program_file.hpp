// Programs of users: kernel text (.npu) and object files (.npuo).
#pragma once

#include <string>
#include <string_view>

#include "isa/program.hpp"
#include "model/config/machine.hpp"

namespace npu::orch {

/// Whether a workload names a file.
[[nodiscard]] bool is_program_file(std::string_view workload);

/// Legal: what the verifier refuses on this machine is a ProgramError. Sound: the program can be read, no more.
enum class Demand : std::uint8_t { Legal, Sound };
/// ConfigError for files that are none and object files of another platform.
[[nodiscard]] isa::KernelObject read_program(const std::string& path, const model::Machine& machine, Demand demand);

}  // namespace npu::orch
