// summary.json and the printed result of runs whose figures can be computed by hand.
#include "orchestration/report/summary.hpp"

#include <catch2/catch.hpp>
#include <fstream>
#include <nlohmann/json.hpp>

#include "orchestration/data/presets.hpp"
#include "sim_tests/orchestration/report_samples.hpp"
#include "sim_tests/support/json_schema.hpp"

namespace npu::orch {
namespace {

using nlohmann::json;

/// A cycle is a nanosecond.
const model::Machine& machine() {
  static const model::Machine kMachine = model::load_machine(
      "a2a3", {"core.clock_mhz=1000", "memory.hbm_read_gb_per_s=1000", "memory.hbm_write_gb_per_s=500"});
  return kMachine;
}

/// Two cards: both mix for 1000 ns, card 0 then waits 4000 ns for card 1 to dispatch.
RunReport two_cards() {
  return test::report_of(machine(), 2,
                         {{"mix", 0, 100, 1100, 600},
                          {"dispatch", 0, 1100, 5100, 400, true},
                          {"mix", 1, 100, 1100, 600},
                          {"dispatch", 1, 1100, 2100, 600}});
}

std::string line_with(const std::string& text, const std::string& word) {
  const std::size_t at = text.find(word);
  if (at == std::string::npos) return {};
  return text.substr(at, text.find('\n', at) - at);
}

TEST_CASE("tasks of the summary have times per occurrence and in total, shares of the card, and what bounds them") {
  const json tasks = json::parse(summary_json(two_cards()))["tasks"];
  REQUIRE(tasks.size() == 4);
  const json& dispatch = tasks[1];
  CHECK(dispatch["name"] == "dispatch");
  CHECK(dispatch["span_us"] == 4.0);
  CHECK(dispatch["mean_span_us"] == 4.0);
  CHECK(dispatch["share"].get<double>() == Approx(0.8));
  CHECK(dispatch["bound_by"] == "wait_notify");
  CHECK(dispatch["top_wait_share"].get<double>() == Approx(0.9));
  CHECK(dispatch["pipes"]["aiv"]["s"]["wait_notify"]["cycles"] == 3600);
  CHECK(tasks[0]["bound_by"] == "v");
  CHECK(tasks[0]["pipes"]["aiv"]["v"]["busy"]["share"].get<double>() == Approx(0.6));
}

TEST_CASE("bandwidths are those of a card, not of all cards in one card's time") {
  RunReport report = two_cards();
  for (model::CardStats& card : report.stats.cards) {
    card.hbm_read = isa::Bytes{400 * (card.end - card.begin)};
    card.l2_read = isa::Bytes{1000 * (card.end - card.begin)};
    card.l2_hit_bytes = 600 * (card.end - card.begin);
  }
  const json memory = json::parse(summary_json(report))["memory"];
  CHECK(memory["hbm_gb_per_s"].get<double>() == Approx(400));
  CHECK(memory["hbm_peak_share"].get<double>() == Approx(0.4));
  CHECK(memory["hbm_read_bytes"] == 400 * (5000 + 2000));
  REQUIRE(memory["cards"].size() == 2);
  CHECK(memory["cards"][1]["card"] == 1);
  CHECK(memory["cards"][1]["hbm_read_bytes"] == 400 * 2000);
  CHECK(memory["cards"][1]["hbm_gb_per_s"].get<double>() == Approx(400));
  CHECK(memory["cards"][1]["l2_hit_rate"].get<double>() == Approx(0.6));
}

TEST_CASE("the table has a row per task where cards agree, and rows of cards where they do not") {
  const std::string text = summary_text(two_cards());
  CAPTURE(text);
  CHECK(line_with(text, "mix  ").find("  all     1      1      1.000      1.000  28.6 %") != std::string::npos);
  const std::string first = line_with(text, "dispatch  ");
  CHECK(first.find("    0     1") != std::string::npos);
  CHECK(first.find("80.0 %") != std::string::npos);
  CHECK(first.find("notify 90 %") != std::string::npos);
  CHECK(text.find("notify      a value that another core or card has to write") != std::string::npos);
  CHECK(text.find("another core of the cluster") == std::string::npos);
}

TEST_CASE("every term of the printed result is explained") {
  const std::string text = summary_text(two_cards());
  for (const char* term : {"mean, total", "share", "busiest pipe", "top wait", "Effective", "gaps", "Orch, Sched",
                           "idle", "of peak", "Host"}) {
    CAPTURE(term);
    CHECK(text.find(std::string{"\n  "} + term) != std::string::npos);
  }
}

TEST_CASE("a kernel of both kinds of cores has its pipes per kind, and flat ones of the kind that owns them") {
  RunReport report = test::report_of(machine(), 1, {{"gate_up", 0, 100, 1100, 600}});
  model::TaskStats& task = report.stats.tasks[0];
  task.cores = {2, 4};
  auto& cube = task.pipes[isa::index_of(isa::CoreKind::AIC)];
  cube[isa::index_of(isa::Pipe::M)].busy = 1000;
  cube[isa::index_of(isa::Pipe::MTE2)].busy = 1600;
  task.pipes[isa::index_of(isa::CoreKind::AIV)][isa::index_of(isa::Pipe::MTE2)].busy = 400;
  const json pipes = json::parse(summary_json(report))["kernel"]["pipe_us"];
  CHECK(pipes["mte2"].get<double>() == Approx(0.8));
  CHECK(pipes["vec"].get<double>() == Approx(0.15));
  CHECK(pipes["aic"]["cube"].get<double>() == Approx(0.5));
  CHECK(pipes["aiv"]["mte2"].get<double>() == Approx(0.1));
  CHECK(pipes["aic"]["vec"] == 0.0);
}

TEST_CASE("outputs of which nothing is compared are no pass") {
  Comparison nothing;
  nothing.name = "y.vals";
  Comparison one = nothing;
  one.checked = 1;
  CHECK(verdict_of({nothing}) == Verdict::Skipped);
  CHECK(verdict_of({}) == Verdict::Skipped);
  CHECK(verdict_of({nothing, one}) == Verdict::Pass);
  RunReport report = two_cards();
  report.outputs = {nothing, one};
  CHECK(line_with(summary_text(report), "y.vals").find(" none ") != std::string::npos);
  const json outputs = json::parse(summary_json(report))["outputs"];
  CHECK(outputs[0]["pass"].is_null());
  CHECK(outputs[1]["pass"] == true);
}

TEST_CASE("a run that ended before any card started has a summary that says so") {
  RunReport report;
  report.machine = &machine();
  report.status = "config";
  report.error = "no memory";
  const json summary = json::parse(summary_json(report));
  CHECK(summary["verdict"] == "fail");
  CHECK(summary["error"] == "no memory");
  CHECK(summary["tasks"].empty());
  CHECK(summary["time_us"]["effective"] == 0.0);
}

/// Everything that a summary can hold, over several of them.
std::vector<RunReport> reports_of_all_keys() {
  RunReport step = two_cards();
  step.config = preset("tiny");
  step.findings = {{"race", "v reads what mte2 writes", "set_flag", {"card0.cluster0.aiv0", "kernel k", 7}, {}, 2},
                   {"race", "v reads what mte2 writes", "set_flag", {}, {"card0.cluster0.aiv0", "kernel k", 7}, 2}};
  step.tiles = {"q_b_matmul.base_n=16"};
  step.layers = {{3, kernels::AttentionKind::Hca, 100, 5100}};
  step.stats.links = {{0, 1, isa::Bytes{1000}, 10}};
  step.outputs.resize(1);
  step.outputs[0].checked = 4;
  RunReport hang = test::report_of(machine(), 1, {{"gate_up", 0, 100, 1100, 600}});
  hang.stats.tasks[0].pipes[isa::index_of(isa::CoreKind::AIC)][isa::index_of(isa::Pipe::S)].busy = 1;
  hang.status = "hang";
  hang.error = "stuck";
  hang.stats.waits = {{"card0.sched", "task 1 is pending", 1100, true}, {"card0.cluster0.aiv0", "a flag", 0, false}};
  for (auto& kind : hang.stats.pipes) {
    for (model::PipeStats& pipe : kind) pipe.busy = 1;
  }
  return {step, hang};
}

TEST_CASE("the schema describes every key of a summary with a unit, and no other") {
  std::ifstream file{std::string{NPU_SOURCE_DIR} + "/docs/summary.schema.json"};
  npu::test::JsonSchema schema{json::parse(file)};
  CHECK(schema.undocumented() == std::vector<std::string>{});
  for (const RunReport& report : reports_of_all_keys()) {
    CHECK(schema.check(json::parse(summary_json(report))) == std::vector<std::string>{});
  }
  CHECK(schema.unseen() == std::vector<std::string>{});
  json wrong = json::parse(summary_json(two_cards()));
  wrong["tasks"][0]["surprise"] = 1;
  wrong["time_us"].erase("device");
  wrong["cycles"] = "many";
  CHECK(schema.check(wrong).size() == 3);
}

}  // namespace
}  // namespace npu::orch
