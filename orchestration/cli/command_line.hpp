// The commands and flags of npusim, declared once: parsing, help, completion and manual page read them here.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "orchestration/cli/options.hpp"

namespace npu::cli {

/// Adds the commands and their flags to `app`; parsing fills `options`, which outlives the application. A command keeps
/// words that it does not know (CLI::App::remaining).
void declare_commands(CLI::App& app, Options& options);

inline constexpr const char* kExitStatuses =
    "Exit status: 0 pass, or nothing compared; 1 results differ from the golden; 2 usage, configuration, files, memory "
    "of the host; 3 illegal program, or one that does not fit; 4 hang, or beyond --max-us; 130 and 143 ended by SIGINT "
    "and SIGTERM.";

/// A flag, or a positional word, as it is shown.
struct Flag {
  std::vector<std::string> words;  ///< "-p", "--platform"; none: positional
  std::string value;               ///< what it takes, "a|b" for choices; empty: a switch
  std::string summary, group, fallback;
  bool repeatable = false;
};
/// Those of one command that are shown: positional words, then flags, group after group.
[[nodiscard]] std::vector<Flag> flags_of(const CLI::App& command);
/// The commands that are shown; of `config`, its own.
[[nodiscard]] std::vector<const CLI::App*> commands_of(const CLI::App& app);
/// "npusim config show".
[[nodiscard]] std::string full_name(const CLI::App& command);

}  // namespace npu::cli
