// Tables and JSON of a validation.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "orchestration/validate/validation.hpp"

namespace npu::orch {
namespace {

using Json = nlohmann::ordered_json;

std::string percent(double share) { return fmt::format("{:+.1f} %", 100.0 * share); }

std::string total_line(const std::vector<AnchorResult>& rows, const std::string& name, const Total& total) {
  if (total.count == 0) return fmt::format("{:12} {:>5} {:>8}\n", name, 0, total.not_run);
  const AnchorResult& worst = rows[*total.worst];
  return fmt::format("{:12} {:>5} {:>8} {:>7} {:>8.1f} % {:>7.1f} % {:>9}  {} {}\n", name, total.count, total.not_run,
                     total.beyond, 100 * total.median, 100 * total.p90, percent(total.mean), worst.anchor.id,
                     percent(*worst.error()));
}

Json total_json(const std::vector<AnchorResult>& rows, const Total& total) {
  Json json{{"count", total.count}, {"not_run", total.not_run}, {"beyond", total.beyond}};
  const bool any = total.count > 0;
  json["median"] = any ? Json(total.median) : Json();
  json["p90"] = any ? Json(total.p90) : Json();
  json["mean"] = any ? Json(total.mean) : Json();
  json["worst"] = any ? Json{{"id", rows[*total.worst].anchor.id}, {"error", *rows[*total.worst].error()}} : Json();
  return json;
}

std::string verdict_of(const Pair& pair) {
  if (!pair.simulated) return "not run";
  if (!pair.has_right_sign()) return "wrong sign";
  return pair.has_right_size() ? "right sign and size" : "right sign";
}

}  // namespace

std::string validation_text(const std::vector<AnchorResult>& rows) {
  std::string text = fmt::format("{:12} {:10} {:16} {:22} {:>12} {:>12} {:>9}  {}\n", "id", "use", "workload", "metric",
                                 "measured", "simulated", "error", "status");
  for (const AnchorResult& row : rows) {
    const Anchor& a = row.anchor;
    const std::string simulated = row.simulated ? fmt::format("{:.6g}", *row.simulated) : "-";
    text += fmt::format("{:12} {:10} {:16} {:22} {:>12.6g} {:>12} {:>9}  {}\n", a.id, a.use, a.workload, a.metric,
                        a.measured, simulated, row.simulated ? percent(*row.error()) : "-", row.status());
  }
  text += fmt::format("\n{:12} {:>5} {:>8} {:>7} {:>10} {:>9} {:>9}  {}\n", "use", "rows", "not run", "beyond",
                      "median", "p90", "mean", "worst");
  for (const auto& [name, total] : totals_by_use(rows)) text += total_line(rows, name, total);
  text += total_line(rows, "all", total_of(rows));
  text += fmt::format("\n{:12} {:>5} {:>8} {:>7} {:>10} {:>9} {:>9}  {}\n", "group", "rows", "not run", "beyond",
                      "median", "p90", "mean", "worst");
  for (const auto& [name, total] : totals_by_group(rows)) text += total_line(rows, name, total);
  const std::vector<Pair> pairs = pairs_of(rows);
  if (pairs.empty()) return text;
  text += fmt::format("\n{:26} {:>10} {:>10}  {}\n", "ratio", "measured", "simulated", "verdict");
  for (const Pair& pair : pairs) {
    const std::string name = fmt::format("{} / {}", rows[pair.second].anchor.id, rows[pair.first].anchor.id);
    text += fmt::format("{:26} {:>10.3f} {:>10}  {}\n", name, pair.measured,
                        pair.simulated ? fmt::format("{:.3f}", *pair.simulated) : "-", verdict_of(pair));
  }
  return text;
}

std::string validation_json(const std::vector<AnchorResult>& rows) {
  Json json{{"rows", Json::array()}, {"totals", Json::object()}, {"groups", Json::object()}, {"pairs", Json::array()}};
  for (const AnchorResult& row : rows) {
    const Anchor& a = row.anchor;
    json["rows"].push_back({{"id", a.id},
                            {"use", a.use},
                            {"platform", a.platform},
                            {"workload", a.workload},
                            {"args", a.args},
                            {"metric", a.metric},
                            {"measured", a.measured},
                            {"simulated", row.simulated ? Json(*row.simulated) : Json()},
                            {"error", row.simulated ? Json(*row.error()) : Json()},
                            {"unit", a.unit},
                            {"tolerance", a.tolerance ? Json(*a.tolerance) : Json()},
                            {"status", row.status()},
                            {"line", a.line},
                            {"source", a.source},
                            {"note", a.note}});
  }
  for (const auto& [name, total] : totals_by_use(rows)) json["totals"][name] = total_json(rows, total);
  json["totals"]["all"] = total_json(rows, total_of(rows));
  for (const auto& [name, total] : totals_by_group(rows)) json["groups"][name] = total_json(rows, total);
  for (const Pair& pair : pairs_of(rows)) {
    json["pairs"].push_back({{"first", rows[pair.first].anchor.id},
                             {"second", rows[pair.second].anchor.id},
                             {"metric", rows[pair.first].anchor.metric},
                             {"measured", pair.measured},
                             {"simulated", pair.simulated ? Json(*pair.simulated) : Json()},
                             {"right_sign", pair.simulated ? Json(pair.has_right_sign()) : Json()},
                             {"right_size", pair.simulated ? Json(pair.has_right_size()) : Json()}});
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace npu::orch
