#include <fmt/format.h>

#include "orchestration/cli/help.hpp"
#include "orchestration/report/version.hpp"

namespace npu::cli {
namespace {

/// Text as roff shows it: no line is a request, hyphens stay hyphens.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else if ((c == '.' || c == '\'') && out.empty()) {
      out += fmt::format("\\&{}", c);
    } else {
      out += c;
    }
  }
  return out;
}

void put_flags(std::string& page, const CLI::App& command) {
  std::string group;
  for (const Flag& flag : flags_of(command)) {
    if (flag.group != group) page += fmt::format(".PP\n{}:\n", escaped(flag.group));
    group = flag.group;
    page += ".TP\n";
    std::string words;
    for (const std::string& word : flag.words)
      words += fmt::format("{}\\fB{}\\fR", words.empty() ? "" : ", ", escaped(word));
    if (!flag.value.empty()) words += fmt::format("{}\\fI{}\\fR", words.empty() ? "" : " ", escaped(flag.value));
    page += words + "\n" + escaped(flag.summary);
    if (!flag.fallback.empty()) page += fmt::format(" (default {})", escaped(flag.fallback));
    page += "\n";
  }
}

void put_commands(std::string& page, const CLI::App& app) {
  for (const CLI::App* command : commands_of(app)) {
    page += fmt::format(".SS {}\n{}\n", escaped(full_name(*command)), escaped(command->get_description()));
    put_flags(page, *command);
    put_commands(page, *command);
  }
}

}  // namespace

std::string manual_page(const CLI::App& app) {
  std::string page = fmt::format(
      ".TH NPUSIM 1 \"\" \"npusim {}\"\n.SH NAME\nnpusim \\- {}\n.SH SYNOPSIS\n.B npusim\n.I "
      "command\n[\\fIflags\\fR]\n.SH "
      "COMMANDS\n",
      orch::kVersion, escaped(app.get_description()));
  put_commands(page, app);
  page += fmt::format(".SH EXIT STATUS\n{}\n", escaped(kExitStatuses));
  return page;
}

}  // namespace npu::cli
