#include "orchestration/validate/validation.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace npu::orch {
namespace {

std::map<std::string, Total> totals_by(const std::vector<AnchorResult>& rows, std::string (*key)(const AnchorResult&)) {
  std::map<std::string, std::vector<std::size_t>> positions;
  for (std::size_t i = 0; i < rows.size(); ++i) positions[key(rows[i])].push_back(i);
  std::map<std::string, Total> totals;
  for (const auto& [name, members] : positions) totals[name] = total_of(rows, members);
  return totals;
}

}  // namespace

std::optional<double> AnchorResult::error() const {
  if (!simulated) return std::nullopt;
  return *simulated / anchor.measured - 1.0;
}

bool AnchorResult::is_beyond() const {
  const auto e = error();
  return e && anchor.tolerance && std::abs(*e) > *anchor.tolerance;
}

std::string AnchorResult::status() const {
  if (!simulated) return "not run: " + reason;
  return is_beyond() ? "beyond tolerance" : "ok";
}

double quantile(std::vector<double> values, double p) {
  std::sort(values.begin(), values.end());
  const double place = p * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (place - static_cast<double>(below)) * (values[above] - values[below]);
}

Total total_of(const std::vector<AnchorResult>& rows, const std::vector<std::size_t>& positions) {
  Total total;
  std::vector<double> errors;
  double signed_sum = 0, worst = -1;
  for (const std::size_t i : positions) {
    const auto error = rows[i].error();
    if (!error) {
      ++total.not_run;
      continue;
    }
    errors.push_back(std::abs(*error));
    signed_sum += *error;
    total.beyond += rows[i].is_beyond() ? 1U : 0U;
    if (errors.back() > worst) {
      worst = errors.back();
      total.worst = i;
    }
  }
  total.count = errors.size();
  if (errors.empty()) return total;
  total.mean = signed_sum / static_cast<double>(errors.size());
  total.median = quantile(errors, 0.5);
  total.p90 = quantile(errors, 0.9);
  return total;
}

Total total_of(const std::vector<AnchorResult>& rows) {
  std::vector<std::size_t> all(rows.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  return total_of(rows, all);
}

std::map<std::string, Total> totals_by_use(const std::vector<AnchorResult>& rows) {
  return totals_by(rows, [](const AnchorResult& row) { return row.anchor.use; });
}

std::map<std::string, Total> totals_by_group(const std::vector<AnchorResult>& rows) {
  return totals_by(rows, [](const AnchorResult& row) { return group_of(row.anchor.id); });
}

bool Pair::has_right_sign() const { return simulated && (measured > 1.0) == (*simulated > 1.0); }

bool Pair::has_right_size() const {
  if (!has_right_sign()) return false;
  const double wanted = std::abs(std::log(measured)), got = std::abs(std::log(*simulated));
  return got >= wanted / 2 && got <= wanted * 2;
}

std::vector<Pair> pairs_of(const std::vector<AnchorResult>& rows) {
  std::map<std::pair<std::string, std::string>, std::vector<std::size_t>> experiments;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Anchor& anchor = rows[i].anchor;
    if (!anchor.error.empty()) continue;
    if (const auto name = experiment_of_variant(anchor.id)) {
      experiments[{std::string{*name}, anchor.metric}].push_back(i);
    }
  }
  std::vector<Pair> pairs;
  for (auto& [name, members] : experiments) {
    std::stable_sort(members.begin(), members.end(),
                     [&](std::size_t a, std::size_t b) { return rows[a].anchor.id.back() < rows[b].anchor.id.back(); });
    for (std::size_t i = 0; i + 1 < members.size(); ++i) {
      const AnchorResult &first = rows[members[i]], &second = rows[members[i + 1]];
      Pair& pair = pairs.emplace_back();
      pair.first = members[i];
      pair.second = members[i + 1];
      pair.measured = second.anchor.measured / first.anchor.measured;
      if (first.simulated && second.simulated && *first.simulated > 0) {
        pair.simulated = *second.simulated / *first.simulated;
      }
    }
  }
  return pairs;
}

}  // namespace npu::orch
