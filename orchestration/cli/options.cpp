#include "orchestration/cli/options.hpp"

#include <CLI/CLI.hpp>
#include <charconv>
#include <limits>
#include <map>

#include "isa/errors.hpp"
#include "isa/numerics/host_variant.hpp"
#include "orchestration/host/workloads.hpp"

namespace npu::cli {
namespace {

/// Flags of the contract whose feature does not exist: refused by name, so that nobody believes them obeyed.
constexpr const char* kRefusedFlags[] = {"--tile",
                                         "--enable-chip-swimlane",
                                         "--enable-l2-swimlane",
                                         "--enable-pmu",
                                         "--enable-dep-gen",
                                         "--enable-scope-stats",
                                         "--check",
                                         "--strict",
                                         "--poison"};
constexpr const char* kRefusedCommands[] = {"sweep",         "what-if",      "compare", "validate", "check",
                                            "critical-path", "explain-hang", "trace",   "golden"};

/// CLI11 takes -1 for the largest number, one that is too large for the largest, and nothing for no flag.
template <class Integer>
std::string refuse_unless_whole(const std::string& text) {
  Integer value{};
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc{} && rest == end) return {};
  return fmt::format("'{}' is no whole number from 0 to {}", text, std::numeric_limits<Integer>::max());
}

void add_machine_options(CLI::App& app, Options& o) {
  app.add_option("-p,--platform", o.platform, "machine: a2a3 (alias a2a3sim) or the path of a machine file")
      ->capture_default_str();
  app.add_option("--set", o.machine_overrides, "override of one machine figure, section.key=value; repeatable");
}

void add_case_options(CLI::App& app, Options& o) {
  app.add_option(
      "--preset", o.preset,
      "model dimensions: tiny, small, demo, flash, pro, or a TOML file (default: those of --data, else small)");
  app.add_option("--data", o.data, "inputs and expected outputs from a safetensors file");
  app.add_option("--ep", o.ep, "ranks, one card each (default 2)")->check(CLI::IsMember({1, 2, 4, 8}));
  app.add_flag(
      "--all-experts", o.all_experts,
      "spread all routed experts of the model over the cards (default: a card holds the eighth of them that it "
      "holds at --ep 8, so the model has fewer at a smaller --ep)");
  app.add_option("-d,--device", o.devices, "simulated cards, 0,1 or 0-1; the count equals --ep");
  app.add_option("--layer-id", o.layer_id, "layer: decides attention kind and routing (default 10)")
      ->check(refuse_unless_whole<std::uint32_t>);
  app.add_option("--batch", o.batch, "requests per rank")->check(refuse_unless_whole<std::uint32_t>);
  app.add_option("--seq", o.seq, "tokens per request and step")->check(refuse_unless_whole<std::uint32_t>);
}

void add_run_options(CLI::App& app, Options& o) {
  app.add_option("--layers", o.layers, "decode-step: layers that run back to back, FIRST-LAST or one number");
  app.add_flag("--share-weights", o.share_weights,
               "decode-step: one layer's weights serve all layers, so that a card holds no more than one layer's");
  app.add_option("--start-pos", o.start_pos, "position of every request's first token")
      ->check(refuse_unless_whole<std::uint32_t>);
  app.add_option("--seed", o.seed, "of generated inputs (default 0)")->check(refuse_unless_whole<std::uint64_t>);
  app.add_option("--save-data", o.save_data, "directory for inputs, expected and actual outputs");
  app.add_flag("--skip-golden", o.skip_golden, "compare nothing");
  app.add_option("--mode", o.mode,
                 "timed (default), functional (results without times), or timing (times without results)")
      ->transform(CLI::CheckedTransformer(
          std::map<std::string, model::Mode>{
              {"functional", model::Mode::Functional}, {"timed", model::Mode::Timed}, {"timing", model::Mode::Timing}},
          CLI::ignore_case));
  app.add_flag("--compile-only", o.compile_only, "build, verify and allocate; no run");
  app.add_flag("--ideal-scheduler", o.ideal_scheduler, "scheduling and dispatch cost no time");
  app.add_option("--start-skew-us", o.start_skew_us, "delay of each card's start, microseconds, a,b")->delimiter(',');
  app.add_option("--ep-protocol", "push-count, the only protocol that is built")->check(CLI::IsMember({"push-count"}));
  app.add_option("--out", o.out, "directory for results (default build_output/<workload>_<n>)");
  app.add_option("--trace", o.trace, "timeline for Perfetto, a JSON file");
  app.add_option("--vcd", o.vcd, "waveforms, a VCD file");
  app.add_option("--vcd-scope", o.vcd_scope, "tracks of the VCD, comma-separated globs such as card0.aic*");
  app.add_option("--vcd-level", o.vcd_level, "task, pipe (default) or signal");
  app.add_option("--trace-window", o.trace_window, "recorded part, START:END in core cycles");
  app.add_flag("--json", o.json, "print summary.json alone on stdout; the verdict goes to stderr");
  app.add_option("--args", o.args,
                 "of a program file: NAME=DTYPE:RxC[:INIT] per tensor, INIT zero, iota, random or a number (default: "
                 "random for inputs, else zero), NAME=INTEGER per scalar; repeatable");
  app.add_option("--blocks", o.blocks, "of a program file: blocks of the task (default 1)")
      ->check(refuse_unless_whole<std::uint32_t>)
      ->check(CLI::PositiveNumber);
  for (const char* flag : kRefusedFlags) {
    app.add_flag_callback(flag, [flag] { throw config_error("{}: not built yet; leave it out", flag); })->group("");
  }
}

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

}  // namespace

Options parse_options(int argc, const char* const* argv) {
  Options o;
  CLI::App app{"npusim: simulates a decode layer on cards of a tile-based NPU", "npusim"};
  app.require_subcommand(0, 1);
  app.set_help_all_flag("--help-all", "help of all commands");
  app.set_version_flag("--version", fmt::format("{}, host variant {}", NPU_VERSION, isa::name_of(isa::host_variant())));

  CLI::App* run = app.add_subcommand("run", "simulate a workload and compare with the golden");
  run->add_option("workload", o.workload, "see npusim list; or a program, .npu or .npuo")->required();
  add_machine_options(*run, o);
  add_case_options(*run, o);
  add_run_options(*run, o);
  CLI::App* list = app.add_subcommand("list", "workloads, presets, platforms, protocols");
  CLI::App* fit = app.add_subcommand("fit", "on-chip buffer budget of a workload's kernels, without a run");
  fit->add_option("workload", o.workload, "see npusim list")->required();
  add_machine_options(*fit, o);
  add_case_options(*fit, o);
  CLI::App* assemble = app.add_subcommand("asm", "kernel text (.npu) to object file (.npuo)");
  assemble->add_option("file", o.file, "kernel text")->required();
  assemble->add_option("-o,--output", o.output, "object file")->required();
  add_machine_options(*assemble, o);
  CLI::App* disassemble = app.add_subcommand("disasm", "object file (.npuo) to kernel text");
  disassemble->add_option("file", o.file, "object file")->required();
  disassemble->add_option("-o,--output", o.output, "kernel text (default stdout)");
  CLI::App* config = app.add_subcommand("config", "the effective machine file");
  config->require_subcommand(1);
  CLI::App* show = config->add_subcommand("show", "every figure with its source");
  add_machine_options(*show, o);
  config->add_subcommand("diff")->group("")->final_callback(
      [] { throw config_error("config diff: not built yet; compare the output of config show"); });
  for (const char* name : kRefusedCommands) {
    app.add_subcommand(name)->group("")->allow_extras()->final_callback(
        [name] { throw config_error("command {}: not built yet; npusim --help shows what is", name); });
  }

  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& request) {  // --help, --version
    std::ostringstream text, errors;
    app.exit(request, text, errors);
    o.help = text.str();
    return o;
  } catch (const CLI::ParseError& error) {
    throw config_error("{}; npusim --help shows the flags", error.what());
  }
  if (*run) {
    o.command = Command::Run;
    refuse_contradictions(o);
  } else if (*list) {
    o.command = Command::List;
  } else if (*fit) {
    o.command = Command::Fit;
  } else if (*assemble) {
    o.command = Command::Asm;
  } else if (*disassemble) {
    o.command = Command::Disasm;
  } else if (*show) {
    o.command = Command::ConfigShow;
  } else {
    o.help = app.help();
  }
  return o;
}

}  // namespace npu::cli
