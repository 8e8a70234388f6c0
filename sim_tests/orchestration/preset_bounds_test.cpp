// Every field of a preset at and around the ends of its range: a layer is built, or refused with a message.
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>

#include "isa/errors.hpp"
#include "model/system/simulation.hpp"
#include "orchestration/data/config_fields.hpp"
#include "orchestration/data/presets.hpp"
#include "orchestration/host/layer_program.hpp"

namespace npu::orch {
namespace {

constexpr std::uint32_t kLargest = 1U << 24U;  ///< of the declared range

/// Builds the program in a process of its own, for a process has one system: 0 built, 1 refused, else it broke.
int build(const Workload& workload, const kernels::LayerConfig& config, const model::Machine& machine) {
  const pid_t child = ::fork();
  if (child == 0) {
    try {
      validate(config, "preset");
      const LayerProgram program{workload, config, machine, {.cards = config.ranks, .start_skew_us = {}}};
      std::_Exit(0);
    } catch (const ConfigError&) {
      std::_Exit(1);
    } catch (const ProgramError&) {
      std::_Exit(1);
    } catch (...) {
      std::_Exit(2);
    }
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void try_fields(std::uint32_t layer_id, const std::vector<std::uint32_t>& values) {
  const model::Machine machine = model::load_machine("a2a3", {});
  const Workload& workload = find_workload("decode-layer");
  kernels::LayerConfig names;
  std::vector<std::string_view> fields;
  visit_fields(names, [&](std::string_view name, std::string_view, auto& member) {
    if constexpr (std::is_same_v<std::decay_t<decltype(member)>, std::uint32_t>) fields.push_back(name);
  });
  int built = 0;
  for (const std::string_view field : fields) {
    for (const std::uint32_t value : values) {
      kernels::LayerConfig config = preset("tiny");
      config.layer_id = layer_id;
      visit_fields(config, [&](std::string_view name, std::string_view, auto& member) {
        if constexpr (std::is_same_v<std::decay_t<decltype(member)>, std::uint32_t>) {
          if (name == field) member = value;
        }
      });
      // What a field alone would contradict follows it.
      if (field == "window") config.page = value;
      if (field == "page") config.window = value;
      if (field == "local_experts") config.experts = value * config.ranks;
      if (field == "layers") config.compress_ratios.resize(std::min<std::size_t>(value, 64), 4);
      INFO(field << " = " << value << " in layer " << layer_id);
      const int outcome = build(workload, config, machine);
      CHECK(outcome <= 1);
      built += outcome == 0 ? 1 : 0;
    }
  }
  CHECK(built > static_cast<int>(fields.size()) / 4);
}

TEST_CASE("a layer without compression is built or refused at both ends of every field") {
  try_fields(0, {1, 65536, kLargest});
}
TEST_CASE("a layer of ratio 128 is built or refused at both ends of every field") {
  try_fields(3, {1, 65536, kLargest});
}
TEST_CASE("a layer of ratio 4 is built or refused at both ends and odd values of every field") {
  try_fields(10, {1, 3, 255, 65536, kLargest});
}

}  // namespace
}  // namespace npu::orch
