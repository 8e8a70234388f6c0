// npusim: runs one command; the exit status tells how it went (failure.hpp).
#include <algorithm>
#include <cstdlib>
#include <exception>
#include <span>
#include <string_view>

#include "isa/shown_text.hpp"
#include "model/system/simulation.hpp"
#include "orchestration/cli/commands.hpp"
#include "orchestration/cli/console.hpp"
#include "orchestration/cli/failure.hpp"
#include "orchestration/cli/run_record.hpp"
#include "orchestration/cli/signals.hpp"

namespace npu::cli {
namespace {

/// SystemC prints its banner before sc_main.
[[maybe_unused]] const int kNoBanner = setenv("SYSTEMC_DISABLE_COPYRIGHT_MESSAGE", "1", 0);

int execute(const Options& options) {
  switch (options.command) {
    case Command::Text:
      print_text(Stream::Out, options.text);
      return 0;
    case Command::Run:
      catch_stop_signals();
      return run_experiment(options);
    case Command::List:
      return list(options);
    case Command::Fit:
      return fit(options);
    case Command::Validate:
      return validate(options);
    case Command::Asm:
      return assemble_file(options);
    case Command::Disasm:
      return disassemble_file(options);
    case Command::ConfigShow:
      return show_config(options);
    case Command::ConfigDiff:
      return diff_configs(options);
  }
  return kConfigError;
}

/// Of `run`, the last line says how it ended. Read from the words themselves, for the flags behind them may be what is
/// refused.
struct LastLine {
  bool wanted = false, json = false;
};
LastLine last_line_of(std::span<char*> words) {
  const auto is_json = [](const char* word) { return std::string_view{word} == "--json"; };
  return {words.size() > 1 && std::string_view{words[1]} == "run", std::any_of(words.begin(), words.end(), is_json)};
}

int run_command(int argc, char** argv) {
  const LastLine last = last_line_of({argv, static_cast<std::size_t>(argc)});
  try {
    const Options options = parse_options(argc, argv);
    model::prepare_simulation();
    return execute(options);
  } catch (const std::exception& error) {
    const Failure failure = failure_of(error);
    print_error(isa::printable(failure.text));
    if (last.wanted) print_verdict(last.json, Colour::Red, "FAIL", failure.clause + "; see stderr");
    return failure.exit_status;
  }
}

}  // namespace
}  // namespace npu::cli

/// Called by the main() of the SystemC library.
extern "C" int sc_main(int argc, char* argv[]);
extern "C" int sc_main(int argc, char* argv[]) {
  npu::cli::open_standard_streams();
  npu::cli::ignore_write_signals();
  const int status = npu::cli::run_command(argc, argv);
  return npu::cli::flush_stdout() ? status : npu::cli::kConfigError;
}
