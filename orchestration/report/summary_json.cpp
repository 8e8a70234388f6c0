// summary.json; docs/summary.schema.json says what every key means, and in which unit.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "isa/numerics/host_variant.hpp"
#include "orchestration/report/card_figures.hpp"
#include "orchestration/report/summary.hpp"
#include "orchestration/report/task_groups.hpp"
#include "orchestration/report/version.hpp"

namespace npu::orch {
namespace {

using Json = nlohmann::ordered_json;
using isa::CoreKind;
using isa::Pipe;
using model::PipeStats;

double share(std::uint64_t part, std::uint64_t whole) {
  return share_of(static_cast<double>(part), static_cast<double>(whole));
}

/// JSON has no infinities.
Json number(double value) { return std::isfinite(value) ? Json(value) : Json(fmt::format("{}", value)); }

Json outputs_json(const std::vector<Comparison>& outputs) {
  Json list = Json::array();
  for (const Comparison& c : outputs) {
    list.push_back({{"name", c.name},
                    {"rule", c.rule},
                    {"checked", c.checked},
                    {"violations", c.violations},
                    {"allowed", c.allowed},
                    {"share", c.share},
                    {"worst_index", c.worst_index},
                    {"expected", number(c.expected)},
                    {"got", number(c.got)},
                    {"non_finite", c.non_finite},
                    {"bad_rows", c.damage.bad_rows},
                    {"rows", c.damage.rows},
                    {"first_index", c.damage.first},
                    {"last_index", c.damage.last},
                    {"zeros", c.damage.zeros},
                    {"off_by_one", c.damage.off_by_one},
                    {"cause", c.cause},
                    {"pass", c.checked == 0 && c.pass ? Json() : Json(c.pass)}});
  }
  return list;
}

Json place_json(const model::FindingPlace& place) {
  if (place.instruction.empty()) return {};
  return {{"core", place.core}, {"instruction", place.instruction}, {"cycle", place.cycle}};
}

Json findings_json(const std::vector<model::Finding>& findings) {
  Json list = Json::array();
  for (const model::Finding& f : findings) {
    list.push_back({{"check", f.check},
                    {"message", f.message},
                    {"remedy", f.remedy},
                    {"here", place_json(f.here)},
                    {"other", place_json(f.other)},
                    {"count", f.count}});
  }
  return list;
}

/// The sections of one report, which share its clock.
class Writer {
 public:
  explicit Writer(const RunReport& report)
      : report_{report},
        params_{report.machine->params},
        cards_{card_figures(report.stats, report.machine->arch.clusters)} {}

  [[nodiscard]] Json time() const {
    Json cards = Json::array();
    for (std::size_t c = 0; c < cards_.size(); ++c) {
      const model::CardStats& stats = report_.stats.cards[c];
      cards.push_back({{"card", c},
                       {"begin", us(stats.begin)},
                       {"effective", us(cards_[c].effective)},
                       {"gaps", us(cards_[c].gaps)},
                       {"graph_built", us(cycles_between(stats.begin, stats.orch_end))},
                       {"orch_busy", us(stats.orch_busy)},
                       {"sched_busy", us(stats.sched_busy)},
                       {"aic_idle_share", cards_[c].idle_share[isa::index_of(CoreKind::AIC)]},
                       {"aiv_idle_share", cards_[c].idle_share[isa::index_of(CoreKind::AIV)]}});
    }
    return {{"effective", us(effective_cycles(report_.stats))},
            {"device", us(device_cycles(report_.stats))},
            {"host", us(cycles_between(report_.stats.host_begin.count(), report_.stats.host_end.count()))},
            {"cards", cards}};
  }

  [[nodiscard]] Json layers() const {
    Json list = Json::array();
    for (const LayerTime& layer : report_.layers) {
      list.push_back({{"layer_id", layer.layer_id},
                      {"attention", kernels::name_of(layer.kind)},
                      {"begin_us", us(layer.begin)},
                      {"time_us", us(layer.end - layer.begin)}});
    }
    return list;
  }

  [[nodiscard]] Json tasks() const {
    Json list = Json::array();
    for (const TaskGroup& group : task_groups(report_.stats)) {
      const Bound bound = bound_of(group.pipes);
      Json pipes = Json::object();
      for (const CoreKind kind : {CoreKind::AIC, CoreKind::AIV}) {
        if (Json used = pipes_of_kind(group.pipes, kind, core_time(group.pipes, kind), false); !used.empty()) {
          pipes[std::string{name_of(kind)}] = std::move(used);
        }
      }
      list.push_back({{"name", group.name},
                      {"card", group.card},
                      {"count", group.count},
                      {"blocks", group.blocks},
                      {"total_core_us", us(group.core_cycles)},
                      {"begin_us", us(group.begin)},
                      {"span_us", us(group.span)},
                      {"mean_span_us", us(group.span) / group.count},
                      {"share", share(group.span, cards_[group.card].effective)},
                      {"bound_by", bound.by},
                      {"busiest_pipe", named(bound.pipe)},
                      {"busiest_pipe_share", shared(bound.pipe)},
                      {"top_wait", named(bound.wait)},
                      {"top_wait_share", shared(bound.wait)},
                      {"read_bytes", group.read_bytes},
                      {"write_bytes", group.written_bytes},
                      {"gm_gb_per_s", gb_per_s(params_, group.read_bytes + group.written_bytes, group.span)},
                      {"pipes", std::move(pipes)}});
    }
    return list;
  }

  [[nodiscard]] Json pipes() const {
    std::uint64_t card_cycles = 0;
    for (const CardFigures& card : cards_) card_cycles += card.effective;
    Json kinds = Json::object();
    for (const CoreKind kind : {CoreKind::AIC, CoreKind::AIV}) {
      const std::uint64_t cores = std::uint64_t{report_.machine->arch.clusters} * (kind == CoreKind::AIV ? 2 : 1);
      kinds[std::string{name_of(kind)}] = pipes_of_kind(report_.stats.pipes, kind, card_cycles * cores, true);
    }
    return kinds;
  }

  [[nodiscard]] Json memory() const {
    MemoryFigures sum;
    Json cards = Json::array();
    for (std::size_t c = 0; c < cards_.size(); ++c) {
      add(sum, cards_[c].memory);
      Json card{{"card", c}};
      card.update(memory_of(cards_[c].memory));
      cards.push_back(std::move(card));
    }
    Json all = memory_of(sum);
    all["cards"] = std::move(cards);
    return all;
  }

  [[nodiscard]] Json links() const {
    const std::uint64_t device = device_cycles(report_.stats);
    Json list = Json::array();
    for (const model::LinkStats& link : report_.stats.links) {
      const double rate = gb_per_s(params_, link.bytes.count(), device);
      list.push_back({{"from", link.from},
                      {"to", link.to},
                      {"bytes", link.bytes.count()},
                      {"gb_per_s", rate},
                      {"peak_share", rate / params_.link.gb_per_s},
                      {"busy_share", share(link.busy, device)}});
    }
    return list;
  }

  [[nodiscard]] Json instructions() const {
    Json by_class = Json::object();
    for (std::size_t p = 0; p < isa::kPipeCount; ++p) {
      std::uint64_t count = 0;
      for (const auto& kind : report_.stats.pipes) count += kind[p].instructions;
      by_class[std::string{isa::kPipeNames[p]}] = count;
    }
    return {{"retired", report_.stats.instructions}, {"by_class", by_class}};
  }

  /// Where every card ran one task; of several cards the slowest, means over all of their cores. Null elsewhere.
  [[nodiscard]] Json kernel() const {
    const auto& tasks = report_.stats.tasks;
    if (tasks.empty() || tasks.size() != report_.stats.cards.size()) return {};
    std::uint64_t longest = 0, longest_core = 0, core_cycles = 0;
    std::array<std::uint64_t, 2> cores{};
    TaskGroup all;
    for (const model::TaskStats& task : tasks) {
      longest = std::max(longest, cycles_between(task.dispatched, task.completed));
      longest_core = std::max(longest_core, task.max_core_cycles);
      core_cycles += task.core_cycles;
      for (std::size_t kind = 0; kind < cores.size(); ++kind) cores[kind] += task.cores[kind];
      TaskGroup one;
      one.pipes = task.pipes;
      add(all, one);
    }
    if (cores[0] + cores[1] == 0) return {};
    const auto pipe_us = [&](CoreKind kind, Pipe pipe) {
      const std::uint64_t busy = all.pipes[isa::index_of(kind)][isa::index_of(pipe)].busy;
      return share_of(us(busy), static_cast<double>(cores[isa::index_of(kind)]));
    };
    // A kernel of one kind of cores has the figures of those.
    const CoreKind first = cores[0] > 0 ? CoreKind::AIC : CoreKind::AIV;
    const CoreKind second = cores[1] > 0 ? CoreKind::AIV : CoreKind::AIC;
    Json pipes = Json::object();
    for (const auto& [name, pipe] : kPipes) {
      pipes[name] = pipe_us(pipe == Pipe::V || pipe == Pipe::MTE3 ? second : first, pipe);
    }
    for (const CoreKind kind : {CoreKind::AIC, CoreKind::AIV}) {
      for (const auto& [name, pipe] : kPipes) pipes[std::string{name_of(kind)}][name] = pipe_us(kind, pipe);
    }
    return {{"task_us", us(longest)},
            {"core_us", us(core_cycles) / static_cast<double>(cores[0] + cores[1])},
            {"max_core_us", us(longest_core)},
            {"pipe_us", std::move(pipes)}};
  }

  [[nodiscard]] Json waits() const {
    Json list = Json::array();
    for (const model::WaitRow& wait : report_.stats.waits) {
      list.push_back(
          {{"unit", wait.unit}, {"what", wait.what}, {"since_us", wait.has_since ? Json(us(wait.since)) : Json()}});
    }
    return list;
  }

  [[nodiscard]] Json simulator() const {
    std::uint64_t core_cycles = 0;
    for (const model::CardStats& card : report_.stats.cards) core_cycles += card.elapsed_core_cycles;
    const SimulatorCost& cost = report_.cost;
    return {{"wall_s", cost.wall_s},
            {"prepare_s", cost.prepare_s},
            {"golden_s", cost.golden_s},
            {"peak_rss_mib", cost.peak_rss_mib},
            {"core_cycles_per_s", share_of(static_cast<double>(core_cycles), cost.wall_s)},
            {"instructions_per_s", share_of(static_cast<double>(report_.stats.instructions), cost.wall_s)},
            {"host_variant", isa::name_of(isa::host_variant())}};
  }

 private:
  static constexpr std::array<std::pair<const char*, Pipe>, isa::kPipeCount> kPipes{{{"cube", Pipe::M},
                                                                                     {"vec", Pipe::V},
                                                                                     {"scalar", Pipe::S},
                                                                                     {"mte1", Pipe::MTE1},
                                                                                     {"mte2", Pipe::MTE2},
                                                                                     {"mte3", Pipe::MTE3},
                                                                                     {"fix", Pipe::FIX}}};

  [[nodiscard]] double us(std::uint64_t cycles) const { return model::us_of_cycles(params_, cycles); }
  static Json named(const std::optional<Share>& s) { return s ? Json(s->name) : Json(); }
  static Json shared(const std::optional<Share>& s) { return s ? Json(s->share) : Json(); }

  /// Pipes that did or awaited anything, as shares of `available` cycles; all waits and the idle rest if `complete`.
  static Json pipes_of_kind(const model::PipeTable& table, CoreKind kind, std::uint64_t available, bool complete) {
    const auto entry = [&](std::uint64_t cycles) {
      return Json{{"share", share(cycles, available)}, {"cycles", cycles}};
    };
    Json pipes = Json::object();
    for (std::size_t p = 0; p < isa::kPipeCount; ++p) {
      const PipeStats& stats = table[isa::index_of(kind)][p];
      std::uint64_t used = stats.busy;
      for (const std::uint64_t wait : stats.wait) used += wait;
      if (used == 0 && stats.instructions == 0) continue;
      Json pipe{{"busy", entry(stats.busy)}};
      for (std::size_t w = 0; w < stats.wait.size(); ++w) {
        if (!complete && stats.wait[w] == 0) continue;
        pipe[fmt::format("wait_{}", traces::kWaitReasonNames[w])] = entry(stats.wait[w]);
      }
      if (complete) pipe["idle"] = entry(cycles_between(used, available));
      pipes[std::string{isa::kPipeNames[p]}] = std::move(pipe);
    }
    return pipes;
  }

  [[nodiscard]] Json memory_of(const MemoryFigures& m) const {
    const auto rate = [&](std::uint64_t bytes) { return gb_per_s(params_, bytes, m.cycles); };
    return {{"hbm_read_bytes", m.hbm_read},
            {"hbm_write_bytes", m.hbm_write},
            {"l2_read_bytes", m.l2_read},
            {"l2_write_bytes", m.l2_write},
            {"l2_hit_rate", share(m.l2_hits, m.l2_read)},
            {"hbm_gb_per_s", rate(m.hbm_read + m.hbm_write)},
            {"hbm_peak_share", hbm_share(params_, m)},
            {"l2_gb_per_s", rate(m.l2_read + m.l2_write)},
            {"l2_read_peak_share", rate(m.l2_read) / params_.memory.l2_read_gb_per_s},
            {"l2_write_peak_share", rate(m.l2_write) / params_.memory.l2_write_gb_per_s}};
  }

  const RunReport& report_;
  const model::Params& params_;
  std::vector<CardFigures> cards_;
};

}  // namespace

std::string summary_json(const RunReport& report) {
  const auto& layer = report.config;
  const Writer writer{report};
  Json json{{"schema", 1},
            {"workload", report.workload},
            {"platform", report.platform},
            {"preset", report.preset},
            {"layer_id", layer ? Json(layer->layer_id) : Json()},
            {"attention", layer ? Json(kernels::name_of(report.kind)) : Json()},
            {"ep", report.stats.cards.size()},
            {"seed", report.seed},
            {"timed", report.timed},
            {"verdict", name_of(report.error.empty() ? verdict_of(report.outputs) : Verdict::Fail)},
            {"status", report.status},
            {"error", report.error.empty() ? Json() : Json(report.error)},
            {"outputs", outputs_json(report.outputs)},
            {"findings", findings_json(report.findings)},
            {"time_us", writer.time()},
            {"cycles", effective_cycles(report.stats)},
            {"tasks", writer.tasks()},
            {"pipes", writer.pipes()},
            {"memory", writer.memory()},
            {"link", writer.links()},
            {"instructions", writer.instructions()},
            {"simulator", writer.simulator()},
            {"config_digest", config_digest(report)},
            {"version", kVersion}};
  if (!report.tiles.empty()) json["tiles"] = report.tiles;
  if (!report.layers.empty()) json["layers"] = writer.layers();
  if (!report.stats.waits.empty()) json["waits"] = writer.waits();
  if (Json kernel = writer.kernel(); !kernel.is_null()) json["kernel"] = std::move(kernel);
  // Names of files and texts of messages may be no UTF-8: they are written as far as they are.
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace npu::orch
