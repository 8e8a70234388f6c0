// The result of a run for a terminal: outputs, tasks, layers, cards, memory, links, and what the terms mean.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "orchestration/report/card_figures.hpp"
#include "orchestration/report/comparison_text.hpp"
#include "orchestration/report/summary.hpp"
#include "orchestration/report/task_groups.hpp"

namespace npu::orch {
namespace {

double us_of(const RunReport& report, std::uint64_t cycles) {
  return model::us_of_cycles(report.machine->params, cycles);
}

std::string percent(double share) { return fmt::format("{:.1f} %", 100.0 * share); }
std::string megabytes(std::uint64_t bytes) { return fmt::format("{:.2f}", static_cast<double>(bytes) / 1e6); }
std::string share_text(const std::optional<Share>& share) {
  return share ? fmt::format("{} {:.0f} %", share->name, 100.0 * share->share) : "-";
}

/// "all", "1", "0,2-5".
std::string cards_text(const std::vector<std::uint32_t>& cards, std::size_t all) {
  if (cards.size() == all && all > 1) return "all";
  std::string text;
  for (std::size_t i = 0; i < cards.size();) {
    std::size_t last = i;
    while (last + 1 < cards.size() && cards[last + 1] == cards[last] + 1) ++last;
    if (!text.empty()) text += ",";
    text += last == i ? fmt::format("{}", cards[i]) : fmt::format("{}-{}", cards[i], cards[last]);
    i = last + 1;
  }
  return text;
}

std::string task_table(const RunReport& report, const std::vector<TaskRow>& rows,
                       const std::vector<CardFigures>& cards) {
  std::string text = fmt::format("\n{:22} {:>5} {:>5} {:>6} {:>10} {:>10} {:>7} {:>8}  {:14} {}\n", "task", "card",
                                 "count", "blocks", "mean us", "total us", "share", "GB/s", "busiest pipe", "top wait");
  for (const TaskRow& row : rows) {
    const auto on = static_cast<std::uint32_t>(row.cards.size());
    std::uint64_t effective = 0;
    for (const std::uint32_t card : row.cards) effective += cards[card].effective;
    const TaskGroup& sum = row.sum;
    const Bound bound = bound_of(sum.pipes);
    text += fmt::format("{:22} {:>5} {:>5} {:>6} {:>10.3f} {:>10.3f} {:>7} {:>8.1f}  {:14} {}\n", sum.name,
                        cards_text(row.cards, cards.size()), sum.count / on, sum.blocks / on,
                        us_of(report, sum.span) / sum.count, us_of(report, sum.span) / on,
                        percent(share_of(static_cast<double>(sum.span), static_cast<double>(effective))),
                        gb_per_s(report.machine->params, sum.read_bytes + sum.written_bytes, sum.span),
                        share_text(bound.pipe), share_text(bound.wait));
  }
  return text;
}

std::string layer_table(const RunReport& report) {
  if (report.layers.empty()) return {};
  std::string text = fmt::format("\n{:>5}  {:9} {:>10} {:>7}\n", "layer", "attention", "us", "share");
  const double effective = effective_us(report);
  for (const LayerTime& layer : report.layers) {
    const double us = us_of(report, layer.end - layer.begin);
    text += fmt::format("{:>5}  {:9} {:>10.3f} {:>7}\n", layer.layer_id, name_of(layer.kind), us,
                        percent(share_of(us, effective)));
  }
  return text;
}

std::string card_table(const RunReport& report, const std::vector<CardFigures>& cards) {
  std::string text = fmt::format("\n{:>4} {:>12} {:>10} {:>7} {:>10} {:>10} {:>10} {:>12}\n", "card", "Effective us",
                                 "gaps us", "share", "Orch us", "Sched us", "cube idle", "vector idle");
  for (std::size_t c = 0; c < cards.size(); ++c) {
    const CardFigures& card = cards[c];
    const model::CardStats& stats = report.stats.cards[c];
    text += fmt::format("{:>4} {:>12.3f} {:>10.3f} {:>7} {:>10.3f} {:>10.3f} {:>10} {:>12}\n", c,
                        us_of(report, card.effective), us_of(report, card.gaps),
                        percent(share_of(static_cast<double>(card.gaps), static_cast<double>(card.effective))),
                        us_of(report, stats.orch_busy), us_of(report, stats.sched_busy), percent(card.idle_share[0]),
                        percent(card.idle_share[1]));
  }
  return text;
}

std::string memory_table(const RunReport& report, const std::vector<CardFigures>& cards) {
  const model::Params& params = report.machine->params;
  std::string text =
      fmt::format("\n{:>4} {:>12} {:>9} {:>9} {:>8} {:>12} {:>9} {:>9} {:>8} {:>8} {:>7}\n", "card", "HBM read MB",
                  "write MB", "GB/s", "of peak", "L2 read MB", "write MB", "GB/s", "r peak", "w peak", "hits");
  for (std::size_t c = 0; c < cards.size(); ++c) {
    const MemoryFigures& m = cards[c].memory;
    const auto rate = [&](std::uint64_t bytes) { return gb_per_s(params, bytes, m.cycles); };
    text += fmt::format("{:>4} {:>12} {:>9} {:>9.1f} {:>8} {:>12} {:>9} {:>9.1f} {:>8} {:>8} {:>7}\n", c,
                        megabytes(m.hbm_read), megabytes(m.hbm_write), rate(m.hbm_read + m.hbm_write),
                        percent(hbm_share(params, m)), megabytes(m.l2_read), megabytes(m.l2_write),
                        rate(m.l2_read + m.l2_write), percent(rate(m.l2_read) / params.memory.l2_read_gb_per_s),
                        percent(rate(m.l2_write) / params.memory.l2_write_gb_per_s),
                        percent(share_of(static_cast<double>(m.l2_hits), static_cast<double>(m.l2_read))));
  }
  return text;
}

/// Directions that carry the same are one row.
std::string link_table(const RunReport& report) {
  if (report.stats.links.empty()) return {};
  const std::uint64_t device = device_cycles(report.stats);
  const model::Params& params = report.machine->params;
  std::string text = fmt::format("\n{:14} {:>10} {:>9} {:>8} {:>7}\n", "link", "MB", "GB/s", "of peak", "busy");
  std::vector<std::pair<std::string, std::vector<std::string>>> rows;  // figures, directions
  for (const model::LinkStats& link : report.stats.links) {
    const double rate = gb_per_s(params, link.bytes.count(), device);
    std::string figures = fmt::format("{:>10} {:>9.1f} {:>8} {:>7}", megabytes(link.bytes.count()), rate,
                                      percent(rate / params.link.gb_per_s),
                                      percent(share_of(static_cast<double>(link.busy), static_cast<double>(device))));
    auto same = std::find_if(rows.begin(), rows.end(), [&](const auto& row) { return row.first == figures; });
    if (same == rows.end()) same = rows.insert(rows.end(), {std::move(figures), {}});
    same->second.push_back(fmt::format("{} to {}", link.from, link.to));
  }
  for (const auto& [figures, directions] : rows) {
    const bool every = directions.size() == report.stats.links.size() && directions.size() > 1;
    text += fmt::format("{:14} {}\n",
                        every                   ? fmt::format("all {}", directions.size())
                        : directions.size() > 1 ? fmt::format("{} and {} more", directions[0], directions.size() - 1)
                                                : directions[0],
                        figures);
  }
  return text;
}

/// What the printed waits are for: name and meaning of each.
std::vector<std::pair<std::string_view, std::string_view>> printed_waits(const std::vector<TaskRow>& rows) {
  const std::array<std::string_view, traces::kWaitReasonCount> meaning{"the pipe's queue is empty",
                                                                       "another pipe of the core",
                                                                       "earlier instructions",
                                                                       "the pipe's queue is full",
                                                                       "another core of the cluster",
                                                                       "the scalar unit's data cache and fences",
                                                                       "a value that another core or card has to write",
                                                                       "the other pipes, at the end of a block"};
  std::set<std::size_t> used;
  for (const TaskRow& row : rows) {
    const Bound bound = bound_of(row.sum.pipes);
    for (std::size_t r = 0; bound.wait && r < meaning.size(); ++r) {
      const std::string_view name = traces::kWaitReasonNames[r];
      if (bound.wait->name == name || bound.wait->name.ends_with(fmt::format(".{}", name))) used.insert(r);
    }
  }
  std::vector<std::pair<std::string_view, std::string_view>> waits;
  for (const std::size_t r : used) waits.emplace_back(traces::kWaitReasonNames[r], meaning[r]);
  return waits;
}

std::string legend(const RunReport& report, const std::vector<TaskRow>& rows) {
  std::string text{"\n"};
  const auto term = [&](std::string_view name, const std::string& meaning) {
    text += fmt::format("  {:13} {}\n", name, meaning);
  };
  term("mean, total",
       "from the start of a task's first block to the end of its last, per occurrence and of all on a card");
  term("share", "of Effective; tasks overlap, so shares can add up to more than 100 %");
  term("GB/s", "of a task: global memory that its blocks read and wrote in that time, wherever it came from");
  term("busiest pipe", "the pipe that is busy for the largest share of the time of the task's cores");
  term("top wait",
       "what the busiest pipe behind the scalar unit waits for, or that unit while it leaves the pipe without work");
  for (const auto& [name, meaning] : printed_waits(rows)) term(fmt::format("  {}", name), std::string{meaning});
  if (!report.layers.empty()) term("layer", "from the end of the layer before it to the end of its own last task");
  term("Effective", "a card's time from the launch of its program to the end of its last task");
  term("gaps", "of Effective: no task runs on the card (scheduling, dependencies, start and end)");
  term("Orch, Sched", fmt::format("busy time of the card's orchestrator, and of its {} scheduler threads added up",
                                  report.machine->params.scheduler.threads));
  term("idle", "share of Effective in which the card's cube or vector cores run no block");
  term("of peak",
       fmt::format("HBM: of the time of its bus (reads at {:g} GB/s, write-backs at {:g})",
                   report.machine->params.memory.hbm_read_gb_per_s, report.machine->params.memory.hbm_write_gb_per_s));
  term("r, w peak",
       fmt::format("L2: of its peaks (reads {:g} GB/s, writes {:g}); hits: of the bytes read",
                   report.machine->params.memory.l2_read_gb_per_s, report.machine->params.memory.l2_write_gb_per_s));
  if (!report.stats.links.empty()) {
    term("link", fmt::format("per direction, peak {:g} GB/s; busy: share of the run in which anything is under way",
                             report.machine->params.link.gb_per_s));
  }
  term("Host", "from the host's launch call to its return, copies to and from the cards included");
  return text;
}

}  // namespace

std::string summary_text(const RunReport& report) {
  std::string text = comparison_table(report.outputs);
  if (!report.timed || report.stats.cards.empty()) return text;
  const std::vector<CardFigures> cards = card_figures(report.stats, report.machine->arch.clusters);
  const std::vector<TaskRow> rows = task_rows(task_groups(report.stats), effective_cycles(report.stats));
  text += task_table(report, rows, cards);
  text += layer_table(report);
  text += card_table(report, cards);
  text += memory_table(report, cards);
  text += link_table(report);
  text += legend(report, rows);
  text += fmt::format("Host {:.3f} us\n",
                      us_of(report, cycles_between(report.stats.host_begin.count(), report.stats.host_end.count())));
  return text;
}

}  // namespace npu::orch
