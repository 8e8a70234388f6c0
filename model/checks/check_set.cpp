#include "model/checks/check_set.hpp"

#include <algorithm>
#include <array>

#include "isa/errors.hpp"
#include "model/checks/cache_check.hpp"
#include "model/checks/fence_check.hpp"
#include "model/checks/race_check.hpp"
#include "model/checks/uninit_check.hpp"

namespace npu::model {
namespace {

struct Row {
  std::string_view name;
  std::unique_ptr<Observer> (*make)(Findings&);
};

template <class Check>
std::unique_ptr<Observer> make(Findings& findings) {
  return std::make_unique<Check>(findings);
}

constexpr std::array kChecks{Row{"race", make<RaceCheck>}, Row{"fence", make<FenceCheck>},
                             Row{"cache", make<CacheCheck>}, Row{"uninit", make<UninitCheck>}};

}  // namespace

std::vector<std::string_view> check_names() {
  std::vector<std::string_view> names;
  for (const Row& row : kChecks) names.push_back(row.name);
  return names;
}

CheckSet::CheckSet(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const auto row = std::find_if(kChecks.begin(), kChecks.end(), [&](const Row& r) { return r.name == name; });
    NPU_ASSERT(row != kChecks.end(), "the command line knows the checks");
    checks_.push_back(row->make(findings_));
  }
}

std::vector<Observer*> CheckSet::observers() const {
  std::vector<Observer*> all;
  for (const auto& check : checks_) all.push_back(check.get());
  return all;
}

}  // namespace npu::model
