// `validate`: the model against published times of silicon.
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "isa/errors.hpp"
#include "orchestration/cli/commands.hpp"
#include "orchestration/cli/console.hpp"
#include "orchestration/cli/failure.hpp"
#include "orchestration/cli/output_paths.hpp"
#include "orchestration/cli/signals.hpp"
#include "orchestration/data/mapped_file.hpp"
#include "orchestration/data/parallel.hpp"
#include "orchestration/data/stopwatch.hpp"
#include "orchestration/validate/fidelity_report.hpp"
#include "orchestration/validate/run_anchors.hpp"
#include "traces/output_file.hpp"

namespace npu::cli {
namespace {

constexpr std::string_view kShipped = "the anchors of npusim";

std::vector<orch::Anchor> read_anchors(const std::string& file) {
  if (file.empty()) return orch::parse_anchors(orch::shipped_anchors(), std::string{kShipped});
  const auto mapped = orch::MappedFile::open(file);
  const std::string_view text{reinterpret_cast<const char*>(mapped->bytes().data()), mapped->bytes().size()};
  return orch::parse_anchors(text, file);
}

/// Whether a flag such as --only asks for an anchor: it names the row, or the experiment that the row is of.
bool names(const std::string& wanted, const orch::Anchor& anchor) {
  return anchor.id == wanted || anchor.id.starts_with(wanted + ":");
}

/// Bad rows stay: nobody can say what they are of.
std::vector<orch::Anchor> wanted_anchors(const Options& o, const std::vector<orch::Anchor>& all) {
  for (const std::string& id : o.only) {
    if (std::any_of(all.begin(), all.end(), [&](const orch::Anchor& a) { return names(id, a); })) continue;
    throw config_error("--only {}: no anchor of that name; give ids such as {}", id, all.front().id);
  }
  std::vector<orch::Anchor> wanted;
  for (const orch::Anchor& anchor : all) {
    const bool by_id = o.only.empty() || std::any_of(o.only.begin(), o.only.end(),
                                                     [&](const std::string& id) { return names(id, anchor); });
    const bool by_group = o.group.empty() || orch::group_of(anchor.id) == o.group;
    const bool by_text = o.filter.empty() || anchor.id.find(o.filter) != std::string::npos ||
                         anchor.workload.find(o.filter) != std::string::npos ||
                         anchor.use.find(o.filter) != std::string::npos;
    if (!anchor.error.empty() || (by_id && by_group && by_text)) wanted.push_back(anchor);
  }
  if (wanted.empty()) throw config_error("validate: --only, --group and --filter leave no anchor; widen them");
  return wanted;
}

/// This program, for the runs.
std::string own_executable() {
  std::string path(4096, '\0');
  const ssize_t length = ::readlink("/proc/self/exe", path.data(), path.size());
  if (length <= 0) throw config_error("validate: /proc/self/exe does not tell which program this is");
  path.resize(static_cast<std::size_t>(length));
  return path;
}

}  // namespace

int validate(const Options& o) {
  CommandPaths paths = paths_of(o);
  if (!o.output.empty()) {
    const std::string plot = std::filesystem::path{o.output}.replace_extension(".svg").string();
    paths.outputs.push_back({fmt::format("the plot {} of --report", plot), plot});
  }
  refuse_shared_paths(paths);
  const std::vector<orch::Anchor> anchors = wanted_anchors(o, read_anchors(o.file));
  catch_stop_signals();
  orch::AnchorRuns runs{.executable = own_executable(), .jobs = o.jobs.value_or(orch::processors())};
  const bool on_terminal = isatty(STDERR_FILENO) == 1;
  const orch::Stopwatch watch;
  if (on_terminal) {
    runs.on_progress = [&](std::size_t done, std::size_t all) {
      print(Stream::Err, "\r\x1b[K{} of {} runs, {:.0f} s", done, all, watch.seconds());
    };
  }
  const std::vector<orch::AnchorResult> rows = orch::run_anchors(anchors, runs);
  if (on_terminal) print(Stream::Err, "\r\x1b[K");
  if (!o.output.empty()) {
    const std::filesystem::path plot = std::filesystem::path{o.output}.replace_extension(".svg");
    const model::Machine machine = model::load_machine("a2a3", {});
    traces::write_file(plot.string(), orch::fidelity_plot(rows));
    traces::write_file(o.output, orch::fidelity_page(rows, machine, plot.filename().string()));
  }
  print_text(Stream::Out, o.json ? orch::validation_json(rows) : orch::validation_text(rows));
  const orch::Total total = orch::total_of(rows);
  if (total.count == 0) throw config_error("validate: none of the {} rows ran", rows.size());
  return total.beyond > 0 ? kMismatch : kPass;
}

}  // namespace npu::cli
