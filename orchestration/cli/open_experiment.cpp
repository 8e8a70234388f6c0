#include "orchestration/cli/open_experiment.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string>

#include "isa/errors.hpp"

namespace npu::cli {
namespace {

/// "0,1" or "0-1" to a count; the cards of a run are numbered from 0.
std::uint64_t device_count(const std::string& text) {
  const auto refuse = [&] { return config_error("--device {}: expected cards as 0,1 or 0-1, starting at 0", text); };
  const char* at = text.data();
  const char* const end = at + text.size();
  const auto number = [&]() -> std::uint64_t {
    std::uint32_t value = 0;
    const auto [next, error] = std::from_chars(at, end, value);
    if (error != std::errc{}) throw refuse();
    at = next;
    return value;
  };
  if (number() != 0) throw refuse();
  std::uint64_t count = 1;
  if (at != end && *at == '-') {
    ++at;
    count = number() + 1;
  }
  while (at != end) {
    if (*at++ != ',' || number() != count++) throw refuse();
  }
  return count;
}

void require_card_count(const Options& o, std::uint32_t cards) {
  if (o.devices && device_count(*o.devices) != cards) {
    throw config_error("--device {} names {} cards, but the run has {} (--ep)", *o.devices, device_count(*o.devices),
                       cards);
  }
  if (!o.start_skew_us.empty() && o.start_skew_us.size() != cards) {
    throw config_error("--start-skew-us gives {} delays for {} cards", o.start_skew_us.size(), cards);
  }
}

}  // namespace

model::Machine machine_of(const Options& o) {
  const auto figures_of = orch::family_of(o.workload).machine_figures;
  std::vector<std::string> figures = o.machine_overrides;
  for (const std::string& figure : figures_of == nullptr ? std::vector<std::string>{} : figures_of(o.workload)) {
    const std::string key = figure.substr(0, figure.find('=') + 1);
    const auto gives = [&](const std::string& given) { return given.starts_with(key); };
    if (std::none_of(o.machine_overrides.begin(), o.machine_overrides.end(), gives)) figures.push_back(figure);
  }
  return model::load_machine(o.platform, figures);
}

std::unique_ptr<orch::Experiment> open_experiment(const Options& o, const model::Machine& machine) {
  auto experiment = orch::family_of(o.workload)
                        .open({.workload = o.workload,
                               .flags = o.flags,
                               .ep = o.ep,
                               .seed = o.seed,
                               .mode = o.mode,
                               .skip_golden = o.skip_golden},
                              machine);
  require_card_count(o, experiment->cards());
  return experiment;
}

}  // namespace npu::cli
