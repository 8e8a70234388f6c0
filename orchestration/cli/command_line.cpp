#include "orchestration/cli/command_line.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>

#include "isa/errors.hpp"
#include "isa/nearest_name.hpp"
#include "isa/shown_text.hpp"
#include "model/checks/check_set.hpp"
#include "orchestration/experiment/family.hpp"

namespace npu::cli {
namespace {

/// Flags of the contract whose feature does not exist: refused by name, so that nobody believes them obeyed.
constexpr const char* kRefusedFlags[] = {"--enable-chip-swimlane", "--enable-l2-swimlane", "--enable-pmu",
                                         "--enable-dep-gen",       "--enable-scope-stats", "--poison",
                                         "--cross-check"};
constexpr const char* kRefusedCommands[] = {"sweep",         "sensitivity",  "what-if", "compare", "check",
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

template <class Integer>
std::string refuse_unless_positive(const std::string& text) {
  if (refuse_unless_whole<Integer>(text).empty() && text.find_first_not_of('0') != std::string::npos) return {};
  return fmt::format("'{}' is no whole number from 1 to {}", text, std::numeric_limits<Integer>::max());
}

/// Each name once, in their order; `all` stands for all. ConfigError for what is no check.
std::vector<std::string> checks_of(const std::vector<std::string>& words) {
  const std::vector<std::string_view> names = model::check_names();
  for (const std::string& word : words) {
    if (word == "all" || std::find(names.begin(), names.end(), word) != names.end()) continue;
    if (word == "overlap" || word == "protocol") throw config_error("--check {}: not built yet; leave it out", word);
    throw config_error("--check {}: no such check; nearest is '{}' ({} or all)", isa::shown(word),
                       isa::nearest_name(word, names), fmt::join(names, ", "));
  }
  std::vector<std::string> chosen;
  for (const std::string_view name : names) {
    const auto asks = [&](const std::string& word) { return word == "all" || word == name; };
    if (std::any_of(words.begin(), words.end(), asks)) chosen.emplace_back(name);
  }
  return chosen;
}

std::string refuse_unless_time(const std::string& text) {
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc{} && rest == end && std::isfinite(value) && value > 0) return {};
  return fmt::format("'{}' is no positive number of microseconds", text);
}

/// The words that a flag takes are its type name too, "timed|timing", which help and completion show.
std::string refuse_unless_one_of(std::string_view words, const std::string& text) {
  const std::string all = fmt::format("|{}|", words);
  if (!text.empty() && text.find('|') == std::string::npos && all.find("|" + text + "|") != std::string::npos) {
    return {};
  }
  return fmt::format("'{}' is none of {}", text, words);
}
CLI::Option* add_choice(CLI::App& app, const char* flag, const char* words, const char* summary,
                        const std::function<void(const std::string&)>& take) {
  return app.add_option_function<std::string>(flag, take, summary)
      ->type_name(words)
      ->check([words](const std::string& text) { return refuse_unless_one_of(words, text); });
}

template <class Number>
CLI::Option* add_number(CLI::App& app, const char* flag, std::optional<Number>& target, const char* summary) {
  return app.add_option(flag, target, summary)->type_name("N")->check(refuse_unless_whole<Number>);
}

/// A flag that may be given many times, with one value each time.
CLI::Option* add_list(CLI::App& app, const char* flag, std::vector<std::string>& target, const char* summary) {
  return app.add_option(flag, target, summary)->allow_extra_args(false);
}

void in_group(const char* group, std::initializer_list<CLI::Option*> options) {
  for (CLI::Option* option : options) option->group(group);
}

void add_machine_flags(CLI::App& app, Options& o) {
  in_group("Machine",
           {app.add_option("-p,--platform", o.platform, "a2a3 (alias a2a3sim) or the path of a machine file")
                ->type_name("NAME|FILE")
                ->default_str("a2a3"),
            add_list(app, "--set", o.machine_overrides,
                     "override of one machine figure, for example core.ub_kib=128; config show lists them; repeatable")
                ->type_name("SECTION.KEY=VALUE")});
}

void add_family_flag(CLI::App& app, orch::FlagValues& values, const orch::FlagSpec& spec) {
  const std::string word{spec.word}, summary{spec.summary};
  const auto take = [&values, word](const std::string& text) { values.add(word, text); };
  CLI::Option* option = nullptr;
  switch (spec.kind) {
    case orch::FlagKind::Switch:
      option = app.add_flag_callback(
          word, [take] { take(""); }, summary);
      break;
    case orch::FlagKind::Number:
      option = app.add_option_function<std::string>(word, take, summary)->check(refuse_unless_whole<std::uint32_t>);
      break;
    case orch::FlagKind::Positive:
      option = app.add_option_function<std::string>(word, take, summary)->check(refuse_unless_positive<std::uint32_t>);
      break;
    case orch::FlagKind::Choice:
      option = app.add_option_function<std::string>(word, take, summary)
                   ->check([words = spec.value](const std::string& text) { return refuse_unless_one_of(words, text); });
      break;
    case orch::FlagKind::Text:
      option = app.add_option_function<std::string>(word, take, summary);
      break;
    case orch::FlagKind::List:
      option =
          app.add_option_function<std::vector<std::string>>(
                 word,
                 [take](const std::vector<std::string>& texts) { std::for_each(texts.begin(), texts.end(), take); },
                 summary)
              ->allow_extra_args(false);
      break;
  }
  if (spec.kind != orch::FlagKind::Switch) option->type_name(std::string{spec.value});
  option->group(std::string{spec.group});
  if (!spec.fallback.empty()) option->default_str(std::string{spec.fallback});
}

/// Of all families, each word once: what a word means does not depend on the family.
void add_family_flags(CLI::App& app, Options& o, orch::Use use) {
  for (const orch::Family* family : orch::families()) {
    for (const orch::FlagSpec& spec : family->flags) {
      if (use == orch::Use::Fit && !spec.of_fit) continue;
      if (app.get_option_no_throw(std::string{spec.word}) == nullptr) add_family_flag(app, o.flags, spec);
    }
  }
}

void add_card_flags(CLI::App& app, Options& o) {
  in_group("Sizes", {add_choice(app, "--ep", "1|2|4|8", "ranks, one card each (default 2; 1 for a program file)",
                                [&o](const std::string& text) { o.ep = static_cast<std::uint32_t>(text[0] - '0'); }),
                     app.add_option("-d,--device", o.devices, "simulated cards, 0,1 or 0-1; the count equals --ep")
                         ->type_name("CARDS")});
}

void add_golden_flags(CLI::App& app, Options& o) {
  in_group("Data", {add_number(app, "--seed", o.seed, "of generated inputs")->default_str("0"),
                    app.add_flag("--skip-golden", o.skip_golden, "compare nothing")});
}

void add_simulation_flags(CLI::App& app, Options& o) {
  const auto take_mode = [&o](const std::string& word) {
    o.mode = word == "functional" ? model::Mode::Functional
             : word == "timing"   ? model::Mode::Timing
                                  : model::Mode::Timed;
  };
  in_group(
      "Simulation",
      {add_choice(app, "--mode", "timed|functional|timing",
                  "timed: results and times; functional: results without times; timing: times without results",
                  take_mode)
           ->default_str("timed"),
       app.add_flag("--compile-only", o.compile_only,
                    "build, verify and allocate; no run. With --out the kernels are left there"),
       app.add_option("--max-us", o.max_us, "simulated microseconds after which a run ends with exit status 4")
           ->type_name("US")
           ->check(refuse_unless_time),
       app.add_option_function<std::vector<std::string>>(
              "--check", [&o](const std::vector<std::string>& words) { o.checks = checks_of(words); },
              "watch for races, missing fences, stale data caches and uninitialised reads (default: none)")
           ->type_name("race,fence,cache,uninit|all")
           ->allow_extra_args(false)
           ->delimiter(','),
       app.add_flag("--strict", o.strict, "a finding of --check ends with exit status 5"),
       app.add_flag("--ideal-scheduler", o.ideal_scheduler, "scheduling and dispatch cost no time"),
       app.add_option("--start-skew-us", o.start_skew_us, "delay of each card's start in microseconds (default: none)")
           ->type_name("US,US,...")
           ->allow_extra_args(false)
           ->delimiter(','),
       add_choice(app, "--ep-protocol", "push-count", "protocol of the expert exchange", [](const std::string&) {
       })->default_str("push-count")});
}

void add_output_flags(CLI::App& app, Options& o) {
  in_group("Output",
           {app.add_option("--out", o.out,
                           "directory for summary.json and the resolved configuration (default: a new "
                           "build_output/<workload>_<timestamp>)")
                ->type_name("DIR"),
            app.add_flag("--json", o.json, "print summary.json alone on stdout; the verdict goes to stderr")});
}

void add_trace_flags(CLI::App& app, Options& o) {
  in_group("Traces",
           {app.add_option("--trace", o.trace, "timeline for Perfetto, a JSON file; compressed if it is named .gz")
                ->type_name("FILE"),
            app.add_option("--trace-level", o.trace_level, "detail of the timeline: task, pipe or instruction")
                ->type_name("task|pipe|instruction")
                ->default_str("instruction"),
            app.add_option("--vcd", o.vcd, "waveforms, a VCD file")->type_name("FILE"),
            app.add_option("--vcd-scope", o.vcd_scope,
                           "tracks of the VCD, comma-separated globs such as card0.cluster3,card1.aic* (default: all)")
                ->type_name("GLOBS"),
            app.add_option("--vcd-level", o.vcd_level, "detail of the VCD: task, pipe or signal")
                ->type_name("task|pipe|signal")
                ->default_str("pipe"),
            app.add_option("--trace-window", o.trace_window, "recorded part in core cycles (default: the whole run)")
                ->type_name("START:END"),
            app.add_option("--trace-limit-mib", o.trace_limit_mib,
                           "MiB after which the timeline and the waveform leave out what follows")
                ->type_name("N")
                ->default_str(std::to_string(kDefaultTraceLimitMib))
                ->check(refuse_unless_positive<std::uint32_t>)});
}

void add_word(CLI::App& app, const char* name, std::string& target, const char* type, const char* summary) {
  app.add_option(name, target, summary)->required()->type_name(type);
}

void declare_run(CLI::App& app, Options& o) {
  CLI::App* run = app.add_subcommand("run", "simulate a workload and compare with the golden");
  add_word(*run, "workload", o.workload, "WORKLOAD",
           "a name of npusim list, or a program file (.npu, .npuo); npusim help run gemm shows the plan flags of gemm");
  run->footer(
      "npusim run decode-layer --layer-id 0 --preset tiny --trace t.json --vcd w.vcd\n"
      "npusim run decode-step --preset tiny --layers 0-3 --mode timing\n"
      "npusim run gemm --m 128 --k 512 --n 1024 --base 128x256x64\n"
      "npusim run k.npu --args x=f32:16x64 --args y=f32:16x64 --args n=5 --blocks 4 --save-data data\n");
  add_family_flags(*run, o, orch::Use::Run);
  add_card_flags(*run, o);
  add_machine_flags(*run, o);
  add_golden_flags(*run, o);
  add_simulation_flags(*run, o);
  add_output_flags(*run, o);
  add_trace_flags(*run, o);
  for (const char* flag : kRefusedFlags) {
    run->add_flag_callback(flag, [flag] { throw config_error("{}: not built yet; leave it out", flag); })->group("");
  }
}

void declare_validate(CLI::App& app, Options& o) {
  CLI::App* validate = app.add_subcommand(
      "validate",
      "the model against published times of silicon: a row for each anchor, totals, ratios of variants; exit status 1 "
      "where a row is beyond its tolerance");
  CLI::Option* const file =
      validate->add_option("file", o.file, "anchors as CSV (default: those of npusim)")->type_name("FILE");
  validate->footer(
      "npusim validate --only D03 --json\n"
      "npusim validate --only D03,D01 --jobs 2 --report fidelity.md\n");
  in_group("Anchors",
           {validate->add_option("--anchors", o.file, "the same as FILE")->type_name("FILE")->excludes(file),
            validate->add_option("--only", o.only, "rows by id; D01 is D01:mte2 and D01:task")
                ->type_name("ID,ID,...")
                ->delimiter(',')
                ->allow_extra_args(false),
            validate->add_option("--group", o.group, "rows whose id begins with these letters, up to the number")
                ->type_name("LETTERS"),
            validate->add_option("--filter", o.filter, "rows whose id, use or workload holds this text")
                ->type_name("TEXT")});
  in_group("Simulation", {validate->add_option("--jobs", o.jobs, "runs at once (default: the processors)")
                              ->type_name("N")
                              ->check(refuse_unless_positive<std::uint32_t>)});
  in_group("Output",
           {validate->add_flag("--json", o.json, "rows, totals, groups and pairs as JSON"),
            validate->add_option("--report", o.output, "page in Markdown with every row, and a plot beside it (.svg)")
                ->type_name("FILE")});
}

void declare_tools(CLI::App& app, Options& o) {
  CLI::App* list = app.add_subcommand("list", "workloads, presets, platforms, protocols");
  list->add_flag("--json", o.json, "as JSON")->group("Output");
  list->footer("npusim list --json\n");
  CLI::App* fit = app.add_subcommand("fit", "on-chip buffer budget of a workload's kernels, without a run");
  add_word(*fit, "workload", o.workload, "WORKLOAD", "a name of npusim list, or a program file (.npu, .npuo)");
  fit->footer(
      "npusim fit decode-layer --preset flash --set core.ub_kib=192\n"
      "npusim fit gemm --m 4096 --n 4096 --k 4096 --l1-buffers 2\n"
      "npusim fit k.npu\n");
  add_family_flags(*fit, o, orch::Use::Fit);
  add_card_flags(*fit, o);
  add_machine_flags(*fit, o);
  declare_validate(app, o);
  CLI::App* assemble = app.add_subcommand("asm", "kernel text (.npu) to object file (.npuo)");
  add_word(*assemble, "file", o.file, "FILE", "kernel text");
  assemble->footer("npusim asm k.npu -o k.npuo\n");
  assemble->add_option("-o,--output", o.output, "object file")->required()->type_name("FILE")->group("Output");
  add_machine_flags(*assemble, o);
  CLI::App* disassemble = app.add_subcommand("disasm", "object file (.npuo) to kernel text");
  add_word(*disassemble, "file", o.file, "FILE", "object file");
  disassemble->footer("npusim disasm k.npuo -o copy.npu\n");
  disassemble->add_option("-o,--output", o.output, "kernel text (default stdout)")->type_name("FILE")->group("Output");
  CLI::App* config = app.add_subcommand("config", "the effective machine file");
  config->require_subcommand(1);
  CLI::App* show = config->add_subcommand("show", "every figure with its source");
  show->footer("npusim config show --set core.ub_kib=128\n");
  add_machine_flags(*show, o);
  CLI::App* diff = config->add_subcommand("diff", "the figures in which two machines differ, with those of the second");
  diff->footer("npusim config diff a2a3 910b4\n");
  add_word(*diff, "first", o.platform_a, "MACHINE", "platform or machine file");
  add_word(*diff, "second", o.platform_b, "MACHINE", "platform or machine file");
}

void declare_guides(CLI::App& app, Options& o) {
  app.add_subcommand("help", "this text, or that of a command")
      ->add_option("command", o.help_of, "for example run, or config show")
      ->type_name("COMMAND");
  CLI::App* completion =
      app.add_subcommand("completion", "script that completes npusim's words in a shell: source it, or install it");
  completion->footer("npusim completion bash\n");
  completion
      ->add_option_function<std::string>(
          "shell", [&o](const std::string& shell) { o.shell = shell; }, "the shell")
      ->required()
      ->type_name("bash|zsh|fish")
      ->check([](const std::string& text) { return refuse_unless_one_of("bash|zsh|fish", text); });
  app.add_subcommand("man", "the manual page, for man -l or an installation");
}

void keep_unknown_words(CLI::App& app) {
  app.allow_extras();
  app.set_help_flag("-h,--help", "this text")->group("");
  for (CLI::App* command : app.get_subcommands([](CLI::App*) { return true; })) {
    command->set_help_all_flag();
    keep_unknown_words(*command);
  }
}

}  // namespace

void declare_commands(CLI::App& app, Options& o) {
  declare_run(app, o);
  declare_tools(app, o);
  declare_guides(app, o);
  for (const char* name : kRefusedCommands) {
    app.add_subcommand(name)->group("")->allow_extras()->final_callback(
        [name] { throw config_error("command {}: not built yet; npusim --help shows what is", name); });
  }
  keep_unknown_words(app);
}

std::vector<Flag> flags_of(const CLI::App& command) {
  std::vector<Flag> flags;
  for (const std::string& group : command.get_groups()) {
    for (const CLI::Option* option : command.get_options()) {
      if (group.empty() || option->get_group() != group) continue;
      Flag flag;
      for (const std::string& name : option->get_snames()) flag.words.push_back("-" + name);
      for (const std::string& name : option->get_lnames()) flag.words.push_back("--" + name);
      if (option->get_items_expected_max() > 0) flag.value = option->get_type_name();
      flag.summary = option->get_description();
      flag.group = flag.words.empty() ? "" : group;
      flag.fallback = option->get_default_str();
      flag.repeatable = flag.words.size() == 1 && option->get_items_expected_max() > 1;
      flags.push_back(std::move(flag));
    }
  }
  std::stable_partition(flags.begin(), flags.end(), [](const Flag& flag) { return flag.words.empty(); });
  return flags;
}

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App* command) { return !command->get_group().empty(); });
}

std::string full_name(const CLI::App& command) {
  const CLI::App* const parent = command.get_parent();
  return parent == nullptr ? command.get_name() : full_name(*parent) + " " + command.get_name();
}

}  // namespace npu::cli
