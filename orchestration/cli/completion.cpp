// Completion scripts: words are those of the command line as it is declared, and the names of workloads and presets.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "model/config/machine.hpp"
#include "orchestration/cli/help.hpp"
#include "orchestration/data/presets.hpp"
#include "orchestration/experiment/family.hpp"

namespace npu::cli {
namespace {

/// What may stand for the value of a flag.
struct Candidates {
  std::vector<std::string> words;
  bool files = false;
};

std::vector<std::string> words_of(std::string_view choices) {
  std::vector<std::string> words;
  while (!choices.empty()) {
    const std::size_t end = std::min(choices.find('|'), choices.size());
    words.emplace_back(choices.substr(0, end));
    choices.remove_prefix(std::min(end + 1, choices.size()));
  }
  return words;
}

Candidates candidates_of(const Flag& flag) {
  Candidates found;
  const auto is_upper = [](char c) { return std::isupper(static_cast<unsigned char>(c)) != 0; };
  if (std::none_of(flag.value.begin(), flag.value.end(), is_upper)) {
    found.words = words_of(flag.value);
    return found;
  }
  found.files =
      flag.value == "WORKLOAD" || flag.value == "MACHINE" || flag.value.ends_with("FILE") || flag.value == "DIR";
  if (flag.value == "WORKLOAD") {
    for (const orch::Family* family : orch::families()) {
      for (const orch::WorkloadName& workload : family->workloads()) found.words.emplace_back(workload.name);
    }
  } else if (std::find(flag.words.begin(), flag.words.end(), "--preset") != flag.words.end()) {
    for (const std::string_view name : orch::preset_names()) found.words.emplace_back(name);
  } else if (flag.value == "MACHINE" ||
             std::find(flag.words.begin(), flag.words.end(), "--platform") != flag.words.end()) {
    found.words = model::shipped_platforms();
  }
  return found;
}

/// Flags of a command and, for `config`, of its own commands.
std::vector<Flag> all_flags(const CLI::App& command) {
  std::vector<Flag> flags = flags_of(command);
  for (const CLI::App* sub : commands_of(command)) {
    for (Flag& flag : flags_of(*sub)) flags.push_back(std::move(flag));
  }
  return flags;
}

std::vector<std::string> names_of(const std::vector<const CLI::App*>& commands) {
  std::vector<std::string> names;
  for (const CLI::App* command : commands) names.push_back(command->get_name());
  return names;
}

/// zsh runs this too, by its bashcompinit.
std::string bash_script(const CLI::App& app) {
  const std::vector<std::string> commands = names_of(commands_of(app));
  std::string values, words;
  for (const CLI::App* command : commands_of(app)) {
    std::vector<std::string> all = names_of(commands_of(*command));
    for (const Flag& flag : all_flags(*command)) {
      const Candidates found = candidates_of(flag);
      if (flag.words.empty()) {
        all.insert(all.end(), found.words.begin(), found.words.end());
        continue;
      }
      all.insert(all.end(), flag.words.begin(), flag.words.end());
      if (flag.value.empty()) continue;
      std::string patterns;
      for (const std::string& word : flag.words) {
        patterns += fmt::format("{}\"{} {}\"", patterns.empty() ? "" : "|", command->get_name(), word);
      }
      values += fmt::format("    {}) COMPREPLY=($(compgen {}-W \"{}\" -- \"$current\")); return ;;\n", patterns,
                            found.files ? "-f " : "", fmt::join(found.words, " "));
    }
    words += fmt::format("    {}) words=\"{}\" ;;\n", command->get_name(), fmt::join(all, " "));
  }
  return fmt::format(
      R"(_npusim() {{
  local current="${{COMP_WORDS[COMP_CWORD]}}" previous="${{COMP_WORDS[COMP_CWORD-1]}}" command="" word words
  for word in "${{COMP_WORDS[@]:1:$((COMP_CWORD - 1))}}"; do
    case "$word" in {}) command="$word"; break ;; esac
  done
  case "$command $previous" in
{}  esac
  case "$command" in
{}    *) words="{}" ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}}
complete -o default -F _npusim npusim
)",
      fmt::join(commands, "|"), values, words, fmt::join(commands, " "));
}

std::string in_quotes(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

std::string fish_script(const CLI::App& app) {
  std::string script = "complete -c npusim -f\n";
  for (const CLI::App* command : commands_of(app)) {
    script += fmt::format("complete -c npusim -n __fish_use_subcommand -a {} -d {}\n", command->get_name(),
                          in_quotes(command->get_description()));
    const std::string condition = fmt::format("'__fish_seen_subcommand_from {}'", command->get_name());
    for (const CLI::App* sub : commands_of(*command)) {
      script += fmt::format("complete -c npusim -n {} -a {}\n", condition, sub->get_name());
    }
    for (const Flag& flag : all_flags(*command)) {
      const Candidates found = candidates_of(flag);
      std::string line = fmt::format("complete -c npusim -n {}", condition);
      for (const std::string& word : flag.words) {
        line += word.starts_with("--") ? " -l " + word.substr(2) : " -s " + word.substr(1);
      }
      if (!flag.value.empty() && !flag.words.empty()) line += found.files ? " -r" : " -x";
      if (found.files) line += " -F";
      if (!found.words.empty()) line += " -a " + in_quotes(fmt::format("{}", fmt::join(found.words, " ")));
      script += fmt::format("{} -d {}\n", line, in_quotes(flag.summary));
    }
  }
  return script;
}

}  // namespace

std::string completion_script(const CLI::App& app, const std::string& shell) {
  if (shell == "fish") return fish_script(app);
  if (shell == "zsh") return "#compdef npusim\nautoload -Uz bashcompinit && bashcompinit\n" + bash_script(app);
  return bash_script(app);
}

}  // namespace npu::cli
