#include "orchestration/cli/options.hpp"

#include <algorithm>
#include <set>

#include "isa/errors.hpp"
#include "isa/nearest_name.hpp"
#include "isa/numerics/host_variant.hpp"
#include "orchestration/calibration/workload.hpp"
#include "orchestration/cli/command_line.hpp"
#include "orchestration/cli/help.hpp"
#include "orchestration/experiment/family.hpp"
#include "orchestration/report/version.hpp"

namespace npu::cli {
namespace {

void refuse_contradictions(const Options& o) {
  const bool saves = o.flags.has("--save-data");
  if (o.mode == model::Mode::Timing && saves) {
    throw config_error("--save-data: --mode timing computes no results; use --mode timed or functional");
  }
  const auto refuse_compiling = [&](bool given, const char* flag) {
    if (o.compile_only && given) throw config_error("{}: --compile-only runs nothing; leave one of them out", flag);
  };
  refuse_compiling(o.trace.has_value(), "--trace");
  refuse_compiling(o.vcd.has_value(), "--vcd");
  refuse_compiling(saves, "--save-data");
  refuse_compiling(o.max_us.has_value(), "--max-us");
  refuse_compiling(!o.checks.empty(), "--check");
  if (o.strict && o.checks.empty()) throw config_error("--strict belongs to --check, which is missing");
  if (!o.vcd && !(o.vcd_scope.empty() && o.vcd_level.empty())) {
    throw config_error("{} belongs to --vcd FILE, which is missing",
                       o.vcd_scope.empty() ? "--vcd-level" : "--vcd-scope");
  }
  if (!o.trace && !o.trace_level.empty()) {
    throw config_error("--trace-level belongs to --trace FILE, which is missing");
  }
  if (!o.vcd && !o.trace && !o.trace_window.empty()) {
    throw config_error("--trace-window belongs to --trace FILE or --vcd FILE; both are missing");
  }
}

void refuse_repeated_figures(const Options& o) {
  std::set<std::string> keys;
  for (const std::string& text : o.machine_overrides) {
    const std::string key = text.substr(0, text.find('='));
    if (!keys.insert(key).second) throw config_error("--set {}: the figure is given twice; give it once", key);
  }
}

const CLI::App& parsed_command(const CLI::App& app) {
  const auto parsed = app.get_subcommands();
  return parsed.empty() ? app : parsed_command(*parsed.back());
}

/// "config show", empty for npusim itself.
std::string words_of(const CLI::App& command) {
  return command.get_parent() == nullptr ? "" : full_name(command).substr(std::string_view{"npusim "}.size());
}

std::string help_hint(const CLI::App& command) {
  const std::string words = words_of(command);
  return words.empty() ? "npusim help" : "npusim help " + words;
}

std::string prefix_of(const CLI::App& command) {
  const std::string words = words_of(command);
  return words.empty() ? "" : words + ": ";
}

/// The first word that a command does not know, with the nearest that it does.
void refuse_unknown_words(const CLI::App& command, const Options& o) {
  const std::vector<std::string> unknown = command.remaining();
  if (unknown.empty()) return;
  const auto is_flag = [](const std::string& word) { return word.size() > 1 && word[0] == '-'; };
  const auto flag = std::find_if(unknown.begin(), unknown.end(), is_flag);
  if (flag != unknown.end()) {
    if (!o.workload.empty()) static_cast<void>(orch::family_of(o.workload));  // refuses names that are none
    const std::string word = flag->substr(0, flag->find('='));
    std::vector<Flag> flags = flags_of(command);
    if (const auto* kernel = orch::find_calibration_workload(o.workload)) {
      for (const orch::PlanField& field : kernel->make()->fields()) {
        flags.emplace_back().words = {fmt::format("--{}", field.name)};
      }
    }
    std::vector<std::string_view> names;
    for (const Flag& known : flags) names.insert(names.end(), known.words.begin(), known.words.end());
    throw config_error("{}no flag is called {}{}; {} shows the flags", prefix_of(command), word,
                       names.empty() ? "" : fmt::format("; nearest is {}", isa::nearest_name(word, names)),
                       help_hint(command));
  }
  const std::vector<const CLI::App*> commands = commands_of(command);
  if (commands.empty()) {
    throw config_error("{}'{}' is one word too many; {} shows the usage", prefix_of(command), unknown.front(),
                       help_hint(command));
  }
  std::vector<std::string_view> names;
  for (const CLI::App* known : commands) names.push_back(known->get_name());
  throw config_error("{}no command is called '{}'; nearest is '{}'; {} shows the commands", prefix_of(command),
                     unknown.front(), isa::nearest_name(unknown.front(), names), help_hint(command));
}

/// What CLI11 says, in words that fit this command line.
ConfigError usage_error(const CLI::App& command, const CLI::ParseError& error) {
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_items_expected_max() == 1 && option->count() > 1) {
      // CLI11 keeps back the names of flags that the help of their workload alone shows.
      const std::string name = option->get_lnames().empty() ? option->get_name() : "--" + option->get_lnames().front();
      return config_error("{} is given {} times ({}); give it once", name, option->count(),
                          fmt::join(option->results(), ", "));
    }
  }
  return config_error("{}{}; {} shows the flags", prefix_of(command), error.what(), help_hint(command));
}

const CLI::App& named_command(const CLI::App& app, const std::vector<std::string>& words) {
  const CLI::App* at = &app;
  for (const std::string& word : words) {
    const auto known = commands_of(*at);
    const auto found =
        std::find_if(known.begin(), known.end(), [&](const CLI::App* command) { return command->get_name() == word; });
    if (found == known.end())
      throw config_error("help: {}no command is called '{}'; {} shows the commands", prefix_of(*at), word,
                         help_hint(*at));
    at = *found;
  }
  return *at;
}

void take_command(const CLI::App& app, Options& o) {
  if (app.got_subcommand("run")) {
    o.command = Command::Run;
    orch::refuse_foreign_flags(o.workload, o.flags, orch::Use::Run);
    refuse_contradictions(o);
  } else if (app.got_subcommand("list")) {
    o.command = Command::List;
  } else if (app.got_subcommand("fit")) {
    o.command = Command::Fit;
    orch::refuse_foreign_flags(o.workload, o.flags, orch::Use::Fit);
  } else if (app.got_subcommand("validate")) {
    o.command = Command::Validate;
  } else if (app.got_subcommand("asm")) {
    o.command = Command::Asm;
  } else if (app.got_subcommand("disasm")) {
    o.command = Command::Disasm;
  } else if (app.got_subcommand("config")) {
    o.command = app.get_subcommand("config")->got_subcommand("diff") ? Command::ConfigDiff : Command::ConfigShow;
  } else if (app.got_subcommand("completion")) {
    o.text = completion_script(app, o.shell);
  } else if (app.got_subcommand("man")) {
    o.text = manual_page(app);
  } else {
    const orch::CalibrationWorkload* const kernel =
        o.help_of.size() == 2 && o.help_of[0] == "run" ? orch::find_calibration_workload(o.help_of[1]) : nullptr;
    o.text = kernel != nullptr ? help_text(*kernel) : help_text(named_command(app, o.help_of));
  }
}

}  // namespace

Options parse_options(int argc, const char* const* argv) {
  Options o;
  CLI::App app{"simulates a decode layer on cards of a tile-based NPU", "npusim"};
  app.require_subcommand(0, 1);
  app.set_help_all_flag("--help-all", "help of all commands");
  app.set_version_flag("--version",
                       fmt::format("{}, host variant {}", orch::kVersion, isa::name_of(isa::host_variant())));
  declare_commands(app, o);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    const orch::CalibrationWorkload* const kernel = orch::find_calibration_workload(o.workload);
    o.text = kernel != nullptr ? help_text(*kernel) : help_text(parsed_command(app));
    return o;
  } catch (const CLI::CallForAllHelp&) {
    o.text = help_of_all(app);
    return o;
  } catch (const CLI::CallForVersion& version) {
    o.text = std::string{version.what()} + "\n";
    return o;
  } catch (const CLI::ParseError& error) {
    refuse_unknown_words(app, o);
    refuse_unknown_words(parsed_command(app), o);
    throw usage_error(parsed_command(app), error);
  }
  refuse_unknown_words(app, o);
  refuse_unknown_words(parsed_command(app), o);
  refuse_repeated_figures(o);
  take_command(app, o);
  return o;
}

}  // namespace npu::cli
