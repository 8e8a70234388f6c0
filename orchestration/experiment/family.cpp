#include "orchestration/experiment/family.hpp"

#include <algorithm>
#include <array>

#include "isa/errors.hpp"
#include "isa/nearest_name.hpp"

namespace npu::orch {
namespace {

/// Named by the contract; its kernel does not exist.
constexpr std::string_view kNotBuilt = "nd2nz";

const FlagSpec* flag_of(const Family& family, std::string_view word) {
  const auto found =
      std::find_if(family.flags.begin(), family.flags.end(), [&](const FlagSpec& spec) { return spec.word == word; });
  return found == family.flags.end() ? nullptr : &*found;
}

bool takes(const Family& family, std::string_view workload, const FlagSpec& spec, Use use) {
  return (use == Use::Run || spec.of_fit) && (family.takes == nullptr || family.takes(workload, spec));
}

/// Whose flag it is: families whose workloads all take it, and workloads of the others.
std::vector<std::string_view> owners_of(std::string_view word, Use use) {
  std::vector<std::string_view> owners;
  for (const Family* family : families()) {
    const FlagSpec* const spec = flag_of(*family, word);
    if (spec == nullptr || (use == Use::Fit && !spec->of_fit)) continue;
    if (family->takes == nullptr) {
      owners.push_back(family->title);
      continue;
    }
    for (const WorkloadName& workload : family->workloads()) {
      if (family->takes(workload.name, *spec)) owners.push_back(workload.name);
    }
  }
  return owners;
}

}  // namespace

std::span<const Family* const> families() {
  static const std::array kFamilies{&layer_family(), &step_family(), &program_family(), &calibration_family()};
  return kFamilies;
}

const Family& family_of(std::string_view workload) {
  std::vector<std::string_view> names;
  for (const Family* family : families()) {
    if (family->has(workload)) return *family;
    for (const WorkloadName& known : family->workloads()) names.push_back(known.name);
  }
  if (workload == kNotBuilt) {
    throw config_error("workload '{}' is not built yet; npusim list shows those that are", workload);
  }
  throw config_error("unknown workload '{}'; nearest is '{}' (npusim list shows all)", workload,
                     isa::nearest_name(workload, names));
}

const FlagSpec* find_flag(std::string_view word) {
  for (const Family* family : families()) {
    if (const FlagSpec* const spec = flag_of(*family, word)) return spec;
  }
  return nullptr;
}

void refuse_foreign_flags(std::string_view workload, const FlagValues& flags, Use use) {
  const Family& family = family_of(workload);
  for (const auto& [word, texts] : flags.given()) {
    const FlagSpec* const spec = flag_of(family, word);
    if (spec != nullptr && takes(family, workload, *spec, use)) continue;
    std::vector<std::string_view> taken;
    for (const FlagSpec& own : family.flags) {
      if (takes(family, workload, own, use)) taken.push_back(own.word);
    }
    throw config_error("{} belongs to {}; {} takes {}", word, fmt::join(owners_of(word, use), " and "), workload,
                       taken.empty() ? "none of these flags" : fmt::format("{}", fmt::join(taken, ", ")));
  }
}

}  // namespace npu::orch
