#include "orchestration/cli/options.hpp"

#include <sstream>

#include "isa/errors.hpp"
#include "orchestration/cli/command_line.hpp"
#include "orchestration/host/workloads.hpp"

namespace npu::cli {
namespace {

void refuse_contradictions(const Options& o) {
  if (o.workload == orch::kStepWorkload) {
    if (!o.layers) throw config_error("decode-step needs --layers FIRST-LAST, for example --layers 0-3");
    if (o.layer_id) throw config_error("--layer-id belongs to runs of one layer; decode-step takes --layers");
    if (o.data) throw config_error("--data holds one layer; decode-step generates its inputs");
    if (o.save_data) throw config_error("--save-data writes one layer; decode-step has no file format");
  } else if (o.layers || o.share_weights) {
    throw config_error("--layers and --share-weights belong to decode-step; {} runs the layer of --layer-id",
                       o.workload);
  }
  if (o.mode == model::Mode::Timing && o.save_data) {
    throw config_error("--save-data: --mode timing computes no results; use --mode timed or functional");
  }
  if (!o.vcd && !(o.vcd_scope.empty() && o.vcd_level.empty())) {
    throw config_error("--vcd-scope and --vcd-level belong to --vcd FILE, which is missing");
  }
  if (!o.vcd && !o.trace && !o.trace_window.empty()) {
    throw config_error("--trace-window belongs to --trace FILE or --vcd FILE; both are missing");
  }
}

Command command_of(const CLI::App& app) {
  if (app.got_subcommand("run")) return Command::Run;
  if (app.got_subcommand("list")) return Command::List;
  if (app.got_subcommand("fit")) return Command::Fit;
  if (app.got_subcommand("asm")) return Command::Asm;
  if (app.got_subcommand("disasm")) return Command::Disasm;
  if (app.got_subcommand("config")) return Command::ConfigShow;
  return Command::Text;
}

}  // namespace

Options parse_options(int argc, const char* const* argv) {
  Options o;
  CLI::App app{"npusim: simulates a decode layer on cards of a tile-based NPU", "npusim"};
  app.require_subcommand(0, 1);
  app.set_help_all_flag("--help-all", "help of all commands");
  app.set_version_flag("--version", NPU_VERSION);
  declare_commands(app, o);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& request) {  // --help, --version
    std::ostringstream text, errors;
    app.exit(request, text, errors);
    o.text = text.str();
    return o;
  } catch (const CLI::ParseError& error) {
    throw config_error("{}; npusim --help shows the flags", error.what());
  }
  o.command = command_of(app);
  if (o.command == Command::Text) o.text = app.help();
  if (o.command == Command::Run) refuse_contradictions(o);
  return o;
}

}  // namespace npu::cli
