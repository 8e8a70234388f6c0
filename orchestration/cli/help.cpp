#include "orchestration/cli/help.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "orchestration/calibration/workload.hpp"

namespace npu::cli {
namespace {

constexpr std::size_t kWidth = 110;  ///< of a line
constexpr std::size_t kColumn = 32;  ///< where summaries begin

/// Breaks the text at blanks, every line but the first behind `indent` blanks.
std::string wrapped(std::string_view text, std::size_t indent) {
  std::string out;
  std::size_t at = indent;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (at > indent && at + 1 + word.size() > kWidth) {
      out += "\n" + std::string(indent, ' ');
      at = indent;
    } else if (at > indent) {
      out += ' ';
      ++at;
    }
    out += word;
    at += word.size();
  }
  return out;
}

std::string row(const std::string& left, const std::string& summary) {
  const std::string gap =
      left.size() + 4 <= kColumn ? std::string(kColumn - 2 - left.size(), ' ') : "\n" + std::string(kColumn, ' ');
  return fmt::format("  {}{}{}\n", left, gap, wrapped(summary, kColumn));
}

std::string row(const Flag& flag) {
  std::string left = fmt::format("{}", fmt::join(flag.words, ", "));
  if (!flag.value.empty()) left += (left.empty() ? "" : " ") + flag.value;
  return row(left, flag.fallback.empty() ? flag.summary : fmt::format("{} (default {})", flag.summary, flag.fallback));
}

std::string usage(const CLI::App& command, const std::vector<Flag>& flags, bool has_commands) {
  std::string text = full_name(command);
  if (has_commands) text += " COMMAND";
  for (const Flag& flag : flags) {
    if (flag.words.empty()) text += " " + flag.value;
  }
  const bool has_flags = std::any_of(flags.begin(), flags.end(), [](const Flag& f) { return !f.words.empty(); });
  return text + (has_flags ? " [FLAGS]" : "");
}

/// The footer holds one example a line.
std::string examples(const CLI::App& command) {
  const std::string footer = command.get_footer();
  std::string text = footer.empty() ? "" : "\nExamples\n";
  for (std::size_t at = 0, end = 0; at < footer.size(); at = end + 1) {
    end = std::min(footer.find('\n', at), footer.size());
    text += fmt::format("  {}\n", footer.substr(at, end - at));
  }
  return text;
}

}  // namespace

std::string help_text(const CLI::App& command) {
  const std::vector<Flag> flags = flags_of(command);
  const std::vector<const CLI::App*> commands = commands_of(command);
  std::string text = fmt::format("{}: {}\n\nUsage: {}\n", full_name(command), command.get_description(),
                                 usage(command, flags, !commands.empty()));
  if (!commands.empty()) text += "\nCommands\n";
  for (const CLI::App* sub : commands) text += row(sub->get_name(), sub->get_description());
  std::string group;
  for (const Flag& flag : flags) {
    if (flag.words.empty() && group.empty()) text += "\n";
    if (flag.group != group) text += fmt::format("\n{}\n", flag.group);
    group = flag.group;
    text += row(flag);
  }
  text += examples(command);
  if (command.get_parent() == nullptr) text += "\nnpusim help COMMAND shows a command's flags.\n";
  text += "\n" + wrapped(kExitStatuses, 0) + "\n";
  return text;
}

std::string help_text(const orch::CalibrationWorkload& workload) {
  std::string text = fmt::format("npusim run {}: {}\n\nUsage: npusim run {} [FLAGS]\n\nPlan\n", workload.name,
                                 workload.summary, workload.name);
  for (const orch::PlanField& field : workload.make()->fields()) {
    Flag flag;
    flag.words = {fmt::format("--{}", field.name)};
    flag.value = field.form;
    flag.summary = field.summary;
    flag.fallback = field.fallback;
    text += row(flag);
  }
  return text + fmt::format(
                    "\nnpusim help run shows the flags of all workloads: machine, simulation, output, traces.\n"
                    "\n{}\n",
                    wrapped(kExitStatuses, 0));
}

std::string help_of_all(const CLI::App& app) {
  std::string text = help_text(app);
  for (const CLI::App* command : commands_of(app)) text += "\n" + help_of_all(*command);
  return text;
}

}  // namespace npu::cli
