#include "orchestration/report/summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "orchestration/data/case_metadata.hpp"
#include "orchestration/data/safetensors.hpp"

namespace npu::orch {
namespace {

using Json = nlohmann::ordered_json;
using model::PipeStats;

double share(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
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
                    {"pass", c.pass}});
  }
  return list;
}

Json time_json(const RunReport& report) {
  const auto us = [&](std::uint64_t cycles) { return model::us_of_cycles(report.machine->params, cycles); };
  Json cards = Json::array();
  std::uint64_t first = 0, last = 0, longest = 0;
  for (std::size_t i = 0; i < report.stats.cards.size(); ++i) {
    const model::CardStats& card = report.stats.cards[i];
    first = i == 0 ? card.begin : std::min(first, card.begin);
    last = std::max(last, card.end);
    longest = std::max(longest, card.end - card.begin);
    cards.push_back({{"card", i},
                     {"begin", us(card.begin)},
                     {"effective", us(card.end - card.begin)},
                     {"graph_built", us(card.orch_end - card.begin)},
                     {"orch_busy", us(card.orch_busy)},
                     {"sched_busy", us(card.sched_busy)}});
  }
  return {{"effective", us(longest)},
          {"device", us(last - first)},
          {"host", us(report.stats.host_end.count() - report.stats.host_begin.count())},
          {"cards", cards}};
}

Json layers_json(const RunReport& report) {
  const auto us = [&](std::uint64_t cycles) { return model::us_of_cycles(report.machine->params, cycles); };
  Json list = Json::array();
  for (const LayerTime& layer : report.layers) {
    list.push_back({{"layer_id", layer.layer_id},
                    {"attention", kernels::name_of(layer.kind)},
                    {"begin_us", us(layer.begin)},
                    {"time_us", us(layer.end - layer.begin)}});
  }
  return list;
}

std::string_view bound_by(const std::array<PipeStats, isa::kPipeCount>& pipes) {
  const auto most = std::max_element(pipes.begin(), pipes.end(),
                                     [](const PipeStats& a, const PipeStats& b) { return a.busy < b.busy; });
  return most->busy == 0 ? "none" : isa::kPipeNames[static_cast<std::size_t>(most - pipes.begin())];
}

struct TaskTotal {
  std::uint32_t count = 0, blocks = 0;
  std::uint64_t core_cycles = 0, begin = 0, end = 0;
  std::array<PipeStats, isa::kPipeCount> pipes{};
};

/// By (card, name), in order of first submission.
std::vector<std::pair<std::pair<std::uint32_t, std::string>, TaskTotal>> task_totals(const model::RunStats& stats) {
  std::vector<std::pair<std::pair<std::uint32_t, std::string>, TaskTotal>> totals;
  std::map<std::pair<std::uint32_t, std::string>, std::size_t> positions;
  for (const model::TaskStats& task : stats.tasks) {
    const std::pair key{task.card, task.name};
    const auto [position, is_new] = positions.emplace(key, totals.size());
    if (is_new) totals.emplace_back(key, TaskTotal{.begin = task.begin, .end = task.end});
    TaskTotal& total = totals[position->second].second;
    ++total.count;
    total.blocks += task.blocks;
    total.core_cycles += task.core_cycles;
    total.begin = std::min(total.begin, task.begin);
    total.end = std::max(total.end, task.end);
    for (std::size_t p = 0; p < isa::kPipeCount; ++p) total.pipes[p].busy += task.pipes[p].busy;
  }
  return totals;
}

Json tasks_json(const RunReport& report) {
  const auto us = [&](std::uint64_t cycles) { return model::us_of_cycles(report.machine->params, cycles); };
  Json list = Json::array();
  for (const auto& [key, total] : task_totals(report.stats)) {
    list.push_back({{"name", key.second},
                    {"card", key.first},
                    {"count", total.count},
                    {"blocks", total.blocks},
                    {"total_core_us", us(total.core_cycles)},
                    {"span_us", us(total.end - total.begin)},
                    {"bound_by", bound_by(total.pipes)}});
  }
  return list;
}

Json pipes_json(const RunReport& report) {
  std::uint64_t card_cycles = 0;
  for (const model::CardStats& card : report.stats.cards) card_cycles += card.end - card.begin;
  Json kinds = Json::object();
  for (std::size_t kind = 0; kind < report.stats.pipes.size(); ++kind) {
    const std::uint64_t vector_factor = kind == isa::index_of(isa::CoreKind::AIV) ? 2 : 1;
    const std::uint64_t available = card_cycles * report.machine->arch.clusters * vector_factor;
    Json pipes = Json::object();
    for (std::size_t p = 0; p < isa::kPipeCount; ++p) {
      const PipeStats& stats = report.stats.pipes[kind][p];
      std::uint64_t used = stats.busy;
      for (const std::uint64_t wait : stats.wait) used += wait;
      if (used == 0 && stats.instructions == 0) continue;
      const auto entry = [&](std::uint64_t cycles) {
        return Json{{"share", share(cycles, available)}, {"cycles", cycles}};
      };
      Json pipe{{"busy", entry(stats.busy)}};
      for (std::size_t w = 0; w < stats.wait.size(); ++w) {
        pipe[fmt::format("wait_{}", traces::kWaitReasonNames[w])] = entry(stats.wait[w]);
      }
      pipe["idle"] = entry(available - std::min(available, used));
      pipes[std::string{isa::kPipeNames[p]}] = std::move(pipe);
    }
    kinds[std::string{isa::kCoreKindNames[kind]}] = std::move(pipes);
  }
  return kinds;
}

Json memory_json(const RunReport& report) {
  std::uint64_t hbm_read = 0, hbm_write = 0, l2_read = 0, l2_write = 0, hits = 0;
  for (const model::CardStats& card : report.stats.cards) {
    hbm_read += card.hbm_read.count();
    hbm_write += card.hbm_write.count();
    l2_read += card.l2_read.count();
    l2_write += card.l2_write.count();
    hits += card.l2_hit_bytes;
  }
  const double us = effective_us(report);
  const auto rate = [&](std::uint64_t bytes) { return us > 0 ? static_cast<double>(bytes) / (us * 1e3) : 0.0; };
  return {{"hbm_read_bytes", hbm_read},
          {"hbm_write_bytes", hbm_write},
          {"l2_read_bytes", l2_read},
          {"l2_write_bytes", l2_write},
          {"l2_hit_rate", share(hits, l2_read)},
          {"hbm_gb_per_s", rate(hbm_read + hbm_write)},
          {"l2_gb_per_s", rate(l2_read + l2_write)}};
}

Json link_json(const RunReport& report) {
  std::uint64_t first = 0, last = 0;
  for (std::size_t i = 0; i < report.stats.cards.size(); ++i) {
    const model::CardStats& card = report.stats.cards[i];
    first = i == 0 ? card.begin : std::min(first, card.begin);
    last = std::max(last, card.end);
  }
  Json list = Json::array();
  for (const model::LinkStats& link : report.stats.links) {
    list.push_back({{"from", link.from},
                    {"to", link.to},
                    {"bytes", link.bytes.count()},
                    {"busy_share", share(link.busy, last - first)}});
  }
  return list;
}

Json instructions_json(const RunReport& report) {
  Json by_class = Json::object();
  for (std::size_t p = 0; p < isa::kPipeCount; ++p) {
    std::uint64_t count = 0;
    for (const auto& kind : report.stats.pipes) count += kind[p].instructions;
    by_class[std::string{isa::kPipeNames[p]}] = count;
  }
  return {{"retired", report.stats.instructions}, {"by_class", by_class}};
}

/// Busy time of a pipe, mean over the cores that have it.
double mean_pipe_us(const RunReport& report, isa::Pipe pipe) {
  const bool cube = pipe == isa::Pipe::M || pipe == isa::Pipe::MTE1 || pipe == isa::Pipe::FIX;
  const bool vector = pipe == isa::Pipe::V || pipe == isa::Pipe::MTE3;
  std::uint64_t busy = 0, cores = 0;
  for (const model::TaskStats& task : report.stats.tasks) {
    busy += task.pipes[isa::index_of(pipe)].busy;
    if (!vector) cores += task.cores[isa::index_of(isa::CoreKind::AIC)];
    if (!cube) cores += task.cores[isa::index_of(isa::CoreKind::AIV)];
  }
  return cores == 0 ? 0.0 : model::us_of_cycles(report.machine->params, busy) / static_cast<double>(cores);
}

/// Where every card ran one task; of several cards the slowest, means over all of their cores. Null elsewhere.
Json kernel_json(const RunReport& report) {
  if (report.stats.tasks.empty() || report.stats.tasks.size() != report.stats.cards.size()) return {};
  std::uint64_t longest = 0, longest_core = 0, core_cycles = 0, cores = 0;
  for (const model::TaskStats& task : report.stats.tasks) {
    longest = std::max(longest, task.end - task.begin);
    longest_core = std::max(longest_core, task.max_core_cycles);
    core_cycles += task.core_cycles;
    cores += task.cores[0] + task.cores[1];
  }
  const auto us = [&](std::uint64_t cycles) { return model::us_of_cycles(report.machine->params, cycles); };
  return {{"task_us", us(longest)},
          {"core_us", us(core_cycles) / static_cast<double>(cores)},
          {"max_core_us", us(longest_core)},
          {"pipe_us",
           {{"cube", mean_pipe_us(report, isa::Pipe::M)},
            {"vec", mean_pipe_us(report, isa::Pipe::V)},
            {"scalar", mean_pipe_us(report, isa::Pipe::S)},
            {"mte1", mean_pipe_us(report, isa::Pipe::MTE1)},
            {"mte2", mean_pipe_us(report, isa::Pipe::MTE2)},
            {"mte3", mean_pipe_us(report, isa::Pipe::MTE3)},
            {"fix", mean_pipe_us(report, isa::Pipe::FIX)}}}};
}

Json simulator_json(const RunReport& report) {
  std::uint64_t core_cycles = 0;
  for (const model::CardStats& card : report.stats.cards) core_cycles += card.elapsed_core_cycles;
  const auto rate = [&](std::uint64_t n) {
    return report.cost.wall_s > 0 ? static_cast<double>(n) / report.cost.wall_s : 0.0;
  };
  return {{"wall_s", report.cost.wall_s},           {"prepare_s", report.cost.prepare_s},
          {"golden_s", report.cost.golden_s},       {"peak_rss_mib", report.cost.peak_rss_mib},
          {"core_cycles_per_s", rate(core_cycles)}, {"instructions_per_s", rate(report.stats.instructions)}};
}

}  // namespace

Verdict verdict_of(const std::vector<Comparison>& outputs) {
  if (outputs.empty()) return Verdict::Skipped;
  const bool pass = std::all_of(outputs.begin(), outputs.end(), [](const Comparison& c) { return c.pass; });
  return pass ? Verdict::Pass : Verdict::Fail;
}

double effective_us(const RunReport& report) {
  std::uint64_t longest = 0;
  for (const model::CardStats& card : report.stats.cards) longest = std::max(longest, card.end - card.begin);
  return model::us_of_cycles(report.machine->params, longest);
}

std::string config_digest(const RunReport& report) {
  Metadata metadata;
  if (report.config) add_config(metadata, *report.config);
  std::string text = model::effective_toml(*report.machine);
  for (const auto& [key, value] : metadata) text += key + "=" + value + "\n";
  std::uint64_t hash = 0xcbf29ce484222325ULL;  // FNV-1a
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return fmt::format("{:016x}", hash);
}

std::string summary_json(const RunReport& report) {
  std::uint64_t device_cycles = 0;
  for (const model::CardStats& card : report.stats.cards)
    device_cycles = std::max(device_cycles, card.end - card.begin);
  const auto& layer = report.config;
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
            {"time_us", time_json(report)},
            {"cycles", device_cycles},
            {"tasks", tasks_json(report)},
            {"pipes", pipes_json(report)},
            {"memory", memory_json(report)},
            {"link", link_json(report)},
            {"instructions", instructions_json(report)},
            {"simulator", simulator_json(report)},
            {"config_digest", config_digest(report)},
            {"version", NPU_VERSION}};
  if (!report.layers.empty()) json["layers"] = layers_json(report);
  if (const Json kernel = kernel_json(report); !kernel.is_null()) json["kernel"] = kernel;
  return json.dump(2) + "\n";
}

std::string summary_text(const RunReport& report) {
  std::string text;
  if (!report.outputs.empty()) {
    text += fmt::format("{:28} {:6} {:>10} {:>10} {:>10}  {}\n", "output", "result", "checked", "violations", "allowed",
                        "rule");
    for (const Comparison& c : report.outputs) {
      text += fmt::format("{:28} {:6} {:>10} {:>10} {:>10}  {}\n", c.name, c.pass ? "pass" : "FAIL", c.checked,
                          c.violations, c.allowed, c.rule);
      if (!c.pass) {
        text += fmt::format("    worst at {}: expected {}, got {}\n", to_string(c.worst_index), c.expected, c.got);
      }
    }
  }
  if (!report.timed) return text;
  const auto us = [&](std::uint64_t cycles) { return model::us_of_cycles(report.machine->params, cycles); };
  text += fmt::format("\n{:20} {:>4} {:>7} {:>13} {:>10}  {}\n", "task", "card", "blocks", "core us", "span us",
                      "bound by");
  for (const auto& [key, total] : task_totals(report.stats)) {
    text += fmt::format("{:20} {:>4} {:>7} {:>13.3f} {:>10.3f}  {}\n", key.second, key.first, total.blocks,
                        us(total.core_cycles), us(total.end - total.begin), bound_by(total.pipes));
  }
  for (std::size_t i = 0; i < report.stats.cards.size(); ++i) {
    const model::CardStats& card = report.stats.cards[i];
    text += fmt::format("card {}: Effective {:.3f} us, Orch {:.3f} us, Sched {:.3f} us\n", i, us(card.end - card.begin),
                        us(card.orch_busy), us(card.sched_busy));
  }
  for (const LayerTime& layer : report.layers) {
    text += fmt::format("layer {} ({}): {:.3f} us\n", layer.layer_id, name_of(layer.kind), us(layer.end - layer.begin));
  }
  text += fmt::format("Host {:.3f} us\n", us(report.stats.host_end.count() - report.stats.host_begin.count()));
  return text;
}

}  // namespace npu::orch
