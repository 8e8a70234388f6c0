// One full-size layer in one process: npu_bench_layer [flags], one JSON object on stdout. bench/layer.py runs it at the
// points that matter; README, "Figures", says what the numbers mean.
#include <fmt/format.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>

#include "bench/activity_profile.hpp"
#include "bench/arithmetic_floor.hpp"
#include "isa/numerics/host_variant.hpp"
#include "orchestration/data/generator.hpp"
#include "orchestration/data/presets.hpp"
#include "orchestration/host/given_tensors.hpp"
#include "orchestration/host/layer_program.hpp"
#include "orchestration/host/reference_case.hpp"

namespace npu::bench {
namespace {

using Json = nlohmann::ordered_json;

/// Wall and processor seconds since it was made.
class Stopwatch {
 public:
  [[nodiscard]] double wall() const { return std::chrono::duration<double>(Clock::now() - wall_).count(); }
  [[nodiscard]] double processor() const { return processor_seconds() - processor_; }

 private:
  using Clock = std::chrono::steady_clock;
  static double processor_seconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& t) {
      return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
  }
  Clock::time_point wall_ = Clock::now();
  double processor_ = processor_seconds();
};

struct Options {
  std::string workload = "decode-layer", preset = "flash", platform = "a2a3";
  orch::SizeOverrides sizes;
  model::Mode mode = model::Mode::Timed;
  bool golden = false, floor = false;
};

Options parse(int argc, const char* const* argv) {
  Options o;
  o.sizes = {.ranks = 2, .batch = std::nullopt, .seq = std::nullopt, .layer_id = 10};
  CLI::App app{"wall time, memory, rates and profile of one simulated layer, as JSON"};
  app.add_option("--workload", o.workload, "see npusim list")->capture_default_str();
  app.add_option("--preset", o.preset, "model dimensions")->capture_default_str();
  app.add_option("--layer-id", o.sizes.layer_id, "layer (10: CSA)");
  app.add_option("--ep", o.sizes.ranks, "cards (2)");
  app.add_option("--batch", o.sizes.batch, "requests a card");
  app.add_option("--seq", o.sizes.seq, "tokens a request");
  app.add_option("--mode", o.mode, "timed, timing or functional")
      ->transform(CLI::CheckedTransformer(std::map<std::string, model::Mode>{
          {"functional", model::Mode::Functional}, {"timed", model::Mode::Timed}, {"timing", model::Mode::Timing}}));
  app.add_flag("--golden", o.golden, "also time the built-in reference, on all processors");
  app.add_flag("--floor", o.floor, "also time the layer's matrix products through oneDNN, on one thread");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    std::exit(app.exit(e));
  }
  return o;
}

orch::LayerCase generate(const Options& o, const kernels::LayerConfig& config, std::optional<std::uint32_t> start_pos,
                         const orch::LayerProgram& program) {
  orch::GenerateOptions options;
  options.start_pos = start_pos;
  if (!o.golden) {
    options.wanted = [&](std::string_view name) {
      const auto& initial = program.initial_tensors();
      return std::find(initial.begin(), initial.end(), name) != initial.end() ||
             (o.mode == model::Mode::Timing && orch::is_given_source(name));
    };
  }
  return orch::generate_case(config, options);
}

Json profile_json(const ActivityProfile& profile) {
  const auto samples = profile.samples();
  std::uint64_t total = 0;
  for (const std::uint64_t n : samples) total += n;
  Json json;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    json[std::string{model::kActivityNames[i]}] =
        total == 0 ? 0.0 : static_cast<double>(samples[i]) / static_cast<double>(total);
  }
  return json;
}

Json run(const Options& o) {
  const Stopwatch process;
  const orch::Preset preset = orch::read_preset(o.preset);
  kernels::LayerConfig config = orch::resized(preset.config, o.sizes);
  orch::fit_to_positions(config, {config.layer_id, config.layer_id}, preset.start_pos, preset.given);
  const model::Machine machine = model::load_machine(o.platform, {});
  ActivityProfile profile;
  orch::LayerProgram program{orch::find_workload(o.workload),
                             config,
                             machine,
                             {.cards = config.ranks,
                              .mode = o.mode,
                              .ideal_scheduler = false,
                              .start_skew_us = {},
                              .sink = nullptr,
                              .activity = profile.marker()}};
  orch::LayerCase layer = generate(o, config, preset.start_pos, program);
  program.load(layer);
  const double prepare_s = process.wall(), prepare_processor_s = process.processor();

  const Stopwatch simulation;
  profile.start();
  program.run();
  profile.stop();
  const double wall_s = simulation.wall(), processor_s = simulation.processor();

  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const model::RunStats stats = program.stats();
  std::uint64_t core_cycles = 0;
  for (const model::CardStats& card : stats.cards) core_cycles += card.elapsed_core_cycles;
  const Json shares = profile_json(profile);
  const double arithmetic_s = processor_s * shares.at("arithmetic").get<double>();
  Json json{{"workload", o.workload},
            {"preset", o.preset},
            {"layer_id", config.layer_id},
            {"ep", config.ranks},
            {"tokens", config.tokens()},
            {"mode", o.mode == model::Mode::Timed    ? "timed"
                     : o.mode == model::Mode::Timing ? "timing"
                                                     : "functional"},
            {"host", std::string{isa::kHostVariantNames[isa::index_of(isa::host_variant())]}},
            {"prepare_s", prepare_s},
            {"prepare_processor_s", prepare_processor_s},
            {"simulation_s", wall_s},
            {"simulation_processor_s", processor_s},
            {"peak_rss_mib", static_cast<double>(usage.ru_maxrss) / 1024.0},
            {"instructions", stats.instructions},
            {"instructions_per_s", static_cast<double>(stats.instructions) / processor_s},
            {"core_cycles_per_s", static_cast<double>(core_cycles) / processor_s},
            {"profile", shares}};
  if (o.floor) {
    const auto products = matrix_products(config, orch::attention_kind(config));
    double operations = 0;
    for (const Product& p : products) operations += p.operations();
    const std::optional<double> floor = arithmetic_floor_seconds(products);
    json["matrix_gop"] = 1e-9 * operations;
    json["arithmetic_s"] = arithmetic_s;
    json["floor_s"] = floor ? Json(*floor) : Json(nullptr);
    json["arithmetic_over_floor"] = floor ? Json(arithmetic_s / *floor) : Json(nullptr);
    if (!floor) json["floor_skipped"] = "built without oneDNN (libdnnl-dev)";
  }
  if (o.golden) {
    const Stopwatch golden;
    orch::add_reference_results(layer, std::max(1U, std::thread::hardware_concurrency()));
    json["golden_s"] = golden.wall();
    json["golden_processor_s"] = golden.processor();
  }
  return json;
}

/// The benchmark prints JSON alone.
[[maybe_unused]] const bool no_banner = setenv("SYSTEMC_DISABLE_COPYRIGHT_MESSAGE", "1", 1) == 0;

}  // namespace
}  // namespace npu::bench

/// SystemC's library brings main(), which prints a banner unless told otherwise, and calls this.
extern "C" int sc_main(int argc, char* argv[]);
extern "C" int sc_main(int argc, char* argv[]) {
  const npu::bench::Options options = npu::bench::parse(argc, argv);
  try {
    fmt::print("{}\n", npu::bench::run(options).dump(2));
  } catch (const std::exception& e) {
    fmt::print(stderr, "npu_bench_layer: {}\n", e.what());
    return 2;
  }
  return 0;
}
