// The command line as data (cli.md section 4).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/device.hpp"
#include "orchestration/experiment/flags.hpp"

namespace npu::cli {

/// Text: what was asked for is text about npusim itself (help, version, completion, manual page).
enum class Command : std::uint8_t { Text, Run, List, Fit, Validate, Asm, Disasm, ConfigShow, ConfigDiff };

/// A timeline beyond this many MiB is cut, so that a program that never ends does not fill the disk.
inline constexpr std::uint64_t kDefaultTraceLimitMib = 8192;

struct Options {
  Command command = Command::Text;
  std::string text;  ///< of Command::Text

  std::string workload;

  orch::FlagValues flags;  ///< of families of experiments
  std::optional<std::uint32_t> ep;
  std::optional<std::string> devices;
  std::optional<std::uint64_t> seed;
  bool skip_golden = false;

  // Machine
  std::string platform = "a2a3";
  std::vector<std::string> machine_overrides;

  // Simulation
  model::Mode mode = model::Mode::Timed;
  bool compile_only = false, ideal_scheduler = false;
  std::vector<double> start_skew_us;
  std::optional<double> max_us;
  std::vector<std::string> checks;  ///< of model::check_names(), each once
  bool strict = false;

  // Output
  std::optional<std::string> out;
  bool json = false;

  // Traces
  std::optional<std::string> trace, vcd;
  std::string trace_level, vcd_scope, vcd_level, trace_window;
  std::uint64_t trace_limit_mib = kDefaultTraceLimitMib;

  // validate
  std::vector<std::string> only;  ///< ids
  std::string group, filter;
  std::optional<std::uint32_t> jobs;

  std::vector<std::string> help_of;    ///< words behind `help`
  std::string shell;                   ///< of `completion`
  std::string file;                    ///< asm, disasm; validate: anchors, empty for those of npusim
  std::string platform_a, platform_b;  ///< config diff
  std::string output;                  ///< asm: object file; disasm: text file, empty for stdout
};

/// Throws ConfigError for what CLI11 refuses and for flags of the contract whose feature does not exist.
[[nodiscard]] Options parse_options(int argc, const char* const* argv);

}  // namespace npu::cli
