// The command line as data (cli.md section 4).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/device.hpp"

namespace npu::cli {

enum class Command : std::uint8_t { Help, Run, List, Fit, Asm, Disasm, ConfigShow };

struct Options {
  Command command = Command::Help;
  std::string help;  ///< text of Command::Help

  std::string workload;
  std::string platform = "a2a3";
  std::vector<std::string> machine_overrides;
  std::optional<std::string> preset;
  std::optional<std::string> data;
  std::optional<std::uint32_t> ep, layer_id, batch, seq, start_pos;
  std::optional<std::uint64_t> seed;
  std::optional<std::string> devices;
  std::optional<std::string> save_data, out, trace, vcd;
  std::string vcd_scope, vcd_level, trace_window;
  model::Mode mode = model::Mode::Timed;
  bool all_experts = false, skip_golden = false, compile_only = false, ideal_scheduler = false, json = false;
  std::vector<double> start_skew_us;

  std::string file;    ///< asm, disasm
  std::string output;  ///< asm: object file; disasm: text file, empty for stdout
};

/// Throws ConfigError for what CLI11 refuses and for flags of the contract whose feature does not exist.
[[nodiscard]] Options parse_options(int argc, const char* const* argv);

}  // namespace npu::cli
