#include "orchestration/experiment/tile_flag.hpp"

#include <charconv>

#include "isa/errors.hpp"
#include "isa/shown_text.hpp"

namespace npu::orch {

PlanChoices plan_choices(const FlagValues& flags) {
  PlanChoices choices;
  for (const std::string& text : flags.all(kTileFlag.word)) {
    const auto refuse = [&](std::string_view why) {
      return config_error("--tile {}: {}; expected KERNEL.FIELD=VALUE, for example q_b_matmul.base_n=128",
                          isa::shown(text), why);
    };
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos) throw refuse("no value");
    const std::size_t dot = text.rfind('.', equals);
    const std::string kernel = dot == std::string::npos ? "" : text.substr(0, dot);
    const std::size_t begin = dot == std::string::npos ? 0 : dot + 1;
    const std::string field = text.substr(begin, equals - begin);
    if (field.empty() || dot == 0) throw refuse("no name");
    std::uint32_t value = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data() + equals + 1, end, value);
    if (error != std::errc{} || rest != end || value == 0) throw refuse("no whole number from 1");
    if (!choices[kernel].emplace(field, value).second) throw refuse("the field is given twice");
  }
  return choices;
}

KernelOptions kernel_options(Purpose purpose, PlanChoices plans) {
  const auto unbuildable =
      purpose == Purpose::Measure ? KernelOptions::Unbuildable::Keep : KernelOptions::Unbuildable::Refuse;
  return {.unbuildable = unbuildable, .plans = std::move(plans)};
}

}  // namespace npu::orch
