// npusim: exit status 0 pass, 1 mismatch, 2 usage or configuration, 3 illegal program, 4 hang.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <span>
#include <string_view>

#include "isa/errors.hpp"
#include "model/system/simulation.hpp"
#include "orchestration/cli/commands.hpp"

namespace npu::cli {
namespace {

/// SystemC prints its banner before sc_main.
[[maybe_unused]] const int kNoBanner = setenv("SYSTEMC_DISABLE_COPYRIGHT_MESSAGE", "1", 0);

int execute(const Options& options) {
  switch (options.command) {
    case Command::Text:
      fmt::print("{}", options.text);
      return 0;
    case Command::Run:
      return run_workload(options);
    case Command::List:
      return list();
    case Command::Fit:
      return fit(options);
    case Command::Asm:
      return assemble_file(options);
    case Command::Disasm:
      return disassemble_file(options);
    case Command::ConfigShow:
      return show_config(options);
  }
  return 2;
}

/// Where the verdict of `run` goes; null for the other commands. Read from the words themselves, for the flags behind
/// them may be what is refused. With --json stdout is for summary.json alone.
FILE* verdict_stream(std::span<char*> words) {
  if (words.size() < 2 || std::string_view{words[1]} != "run") return nullptr;
  const auto is_json = [](const char* word) { return std::string_view{word} == "--json"; };
  return std::any_of(words.begin(), words.end(), is_json) ? stderr : stdout;
}

/// Prints the error; for `run`, the verdict as the last line.
int fail(int status, FILE* verdict, const std::exception& error) {
  fmt::print(stderr, "npusim: {}\n", error.what());
  constexpr const char* kReasons[] = {"", "", "usage or configuration", "illegal program or does not fit", "hang"};
  if (verdict != nullptr) fmt::print(verdict, "[RUN] FAIL {}; see stderr\n", kReasons[status]);
  return status;
}

}  // namespace
}  // namespace npu::cli

/// Called by the main() of the SystemC library.
extern "C" int sc_main(int argc, char* argv[]);
extern "C" int sc_main(int argc, char* argv[]) {
  npu::cli::Options options;
  FILE* const verdict = npu::cli::verdict_stream({argv, static_cast<std::size_t>(argc)});
  try {
    options = npu::cli::parse_options(argc, argv);
    npu::model::prepare_simulation();
    return npu::cli::execute(options);
  } catch (const npu::ConfigError& error) {
    return npu::cli::fail(2, verdict, error);
  } catch (const npu::ProgramError& error) {
    return npu::cli::fail(3, verdict, error);
  } catch (const npu::Deadlock& error) {
    return npu::cli::fail(4, verdict, error);
  } catch (const std::exception& error) {
    return npu::cli::fail(2, verdict, error);
  }
}
