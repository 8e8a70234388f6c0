#include "orchestration/validate/fidelity_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>

namespace npu::orch {
namespace {

std::string percent(double share) { return fmt::format("{:+.1f} %", 100.0 * share); }

/// Text of a cell of a Markdown table.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '&' ? "&amp;" : std::string(1, c);
  return out;
}

std::string total_row(const std::vector<AnchorResult>& rows, std::string_view name, const Total& total) {
  if (total.count == 0) return fmt::format("| {} | 0 | {} | | | | | |\n", cell(name), total.not_run);
  const AnchorResult& worst = rows[*total.worst];
  return fmt::format("| {} | {} | {} | {} | {:.1f} % | {:.1f} % | {} | {} {} |\n", cell(name), total.count,
                     total.not_run, total.beyond, 100 * total.median, 100 * total.p90, percent(total.mean),
                     cell(worst.anchor.id), percent(*worst.error()));
}

std::string totals_section(const std::vector<AnchorResult>& rows) {
  const std::string_view head =
      " | Rows | Not run | Beyond tolerance | Median | 90th percentile | Signed mean | Worst |\n"
      "|---|---|---|---|---|---|---|---|\n";
  std::string text = fmt::format(
      "## Totals\n\nError is simulated / measured - 1; median and percentile are of its "
      "absolute value.\n\n| Use{}",
      head);
  for (const auto& [name, total] : totals_by_use(rows)) text += total_row(rows, name, total);
  text += total_row(rows, "all", total_of(rows));
  text += fmt::format("\n| Group{}", head);
  for (const auto& [name, total] : totals_by_group(rows)) text += total_row(rows, name, total);
  return text;
}

std::string pairs_section(const std::vector<AnchorResult>& rows) {
  const std::vector<Pair> pairs = pairs_of(rows);
  std::size_t ran = 0, signs = 0, sizes = 0;
  std::string table = "| Ratio | Metric | Measured | Simulated | Sign | Size |\n|---|---|---|---|---|---|\n";
  for (const Pair& pair : pairs) {
    ran += pair.simulated ? 1U : 0U;
    signs += pair.has_right_sign() ? 1U : 0U;
    sizes += pair.has_right_size() ? 1U : 0U;
    const auto verdict = [&](bool right) { return !pair.simulated ? "" : right ? "right" : "wrong"; };
    table += fmt::format("| {} / {} | {} | {:.3f} | {} | {} | {} |\n", cell(rows[pair.second].anchor.id),
                         cell(rows[pair.first].anchor.id), cell(rows[pair.first].anchor.metric), pair.measured,
                         pair.simulated ? fmt::format("{:.3f}", *pair.simulated) : "not run",
                         verdict(pair.has_right_sign()), verdict(pair.has_right_size()));
  }
  return fmt::format(
      "## Ratios of consecutive variants\n\nOf {} pairs, {} ran; {} have the right sign, {} also the right size (the "
      "logarithms of the two ratios differ by a factor of two at most).\n\n{}",
      pairs.size(), ran, signs, sizes, table);
}

std::string rows_section(const std::vector<AnchorResult>& rows) {
  std::string text =
      "## Every row\n\n| Id | Use | Workload and flags | Metric | Measured | Simulated | Error | Tolerance | Status | "
      "Source | Note |\n|---|---|---|---|---|---|---|---|---|---|---|\n";
  for (const AnchorResult& row : rows) {
    const Anchor& a = row.anchor;
    text += fmt::format("| {} | {} | `{} {}` | {} | {:.6g} {} | {} | {} | {} | {} | {} | {} |\n", cell(a.id),
                        cell(a.use), cell(a.workload), cell(a.args), cell(a.metric), a.measured, cell(a.unit),
                        row.simulated ? fmt::format("{:.6g}", *row.simulated) : "",
                        row.simulated ? percent(*row.error()) : "",
                        a.tolerance ? fmt::format("{:.0f} %", 100 * *a.tolerance) : "", cell(row.status()),
                        cell(a.source), cell(a.note));
  }
  return text;
}

/// Reasons of rows that did not run, each once.
std::string missing_section(const std::vector<AnchorResult>& rows) {
  std::map<std::string, std::string> reasons;
  for (const AnchorResult& row : rows) {
    if (row.simulated) continue;
    std::string& ids = reasons[row.reason];
    ids += (ids.empty() ? "" : ", ") + row.anchor.id;
  }
  std::string text = "## What is not modelled\n\n";
  if (reasons.empty()) return text + "Every row ran.\n";
  text += "| Rows | Why they did not run |\n|---|---|\n";
  for (const auto& [reason, ids] : reasons) text += fmt::format("| {} | {} |\n", cell(ids), cell(reason));
  return text;
}

std::string figures_section(const model::Machine& machine) {
  std::string text =
      fmt::format("## Figures of {}\n\n| Figure | Value | Unit | Confidence | Source |\n|---|---|---|---|---|\n",
                  machine.arch.name);
  for (const model::Figure& f : machine.figures) {
    text += fmt::format("| {} | {} | {} | {} | {} |\n", cell(f.key), f.value, cell(f.unit), cell(f.confidence),
                        cell(f.source));
  }
  return text;
}

// ---- the plot -------------------------------------------------------------------------------------------------------

constexpr double kLeft = 70, kTop = 20, kSide = 560;  // of the square between the axes, pixels

/// Decades that all values lie in.
struct Decades {
  int low = 0, high = 1;
  [[nodiscard]] double place(double value) const { return (std::log10(value) - low) / (high - low) * kSide; }
};

Decades decades_of(const std::vector<const AnchorResult*>& rows) {
  double least = std::numeric_limits<double>::infinity(), most = 0;
  for (const AnchorResult* row : rows) {
    least = std::min({least, row->anchor.measured, *row->simulated});
    most = std::max({most, row->anchor.measured, *row->simulated});
  }
  if (rows.empty()) return {};
  Decades d{static_cast<int>(std::floor(std::log10(least))), static_cast<int>(std::ceil(std::log10(most)))};
  if (d.high == d.low) ++d.high;
  return d;
}

std::string grid(const Decades& d) {
  std::string svg;
  for (int e = d.low; e <= d.high; ++e) {
    const double at = static_cast<double>(e - d.low) / (d.high - d.low) * kSide;
    const std::string label = e >= 0 && e <= 3 ? fmt::format("{:g}", std::pow(10.0, e)) : fmt::format("1e{}", e);
    svg += fmt::format("<path d=\"M{:.1f} {:.1f}v{:.1f}M{:.1f} {:.1f}h{:.1f}\" stroke=\"#ddd\"/>\n", kLeft + at, kTop,
                       kSide, kLeft, kTop + kSide - at, kSide);
    svg += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>\n", kLeft + at,
                       kTop + kSide + 18, label);
    svg += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n", kLeft - 8,
                       kTop + kSide - at + 4, label);
  }
  return svg;
}

}  // namespace

std::string fidelity_plot(const std::vector<AnchorResult>& rows) {
  constexpr std::array<std::string_view, 10> kColours{"#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd",
                                                      "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22", "#17becf"};
  std::vector<const AnchorResult*> shown;
  std::map<std::string, std::string_view> colours;
  for (const AnchorResult& row : rows) {
    if (!row.simulated || *row.simulated <= 0 || row.anchor.unit != "us") continue;
    shown.push_back(&row);
    colours.try_emplace(row.anchor.workload, kColours[colours.size() % kColours.size()]);
  }
  const Decades d = decades_of(shown);
  std::string svg =
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"820\" height=\"640\" font-family=\"sans-serif\" "
      "font-size=\"12\">\n<rect width=\"820\" height=\"640\" fill=\"white\"/>\n";
  svg += grid(d);
  const double right = kLeft + kSide, bottom = kTop + kSide;
  const double band = std::log10(1.1) / (d.high - d.low) * kSide;
  svg += fmt::format(
      "<path d=\"M{:.1f} {:.1f}L{:.1f} {:.1f}V{:.1f}L{:.1f} {:.1f}H{:.1f}Z\" fill=\"#000\" fill-opacity=\"0.06\"/>\n",
      kLeft, bottom - band, right - band, kTop, kTop, right, kTop + band, right);
  svg += fmt::format("<path d=\"M{:.1f} {:.1f}L{:.1f} {:.1f}\" stroke=\"#888\"/>\n", kLeft, bottom, right, kTop);
  svg += fmt::format(
      "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill=\"none\" "
      "stroke=\"#444\"/>\n",
      kLeft, kTop, kSide, kSide);
  for (const AnchorResult* row : shown) {
    svg += fmt::format(
        "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3.5\" fill=\"{}\" fill-opacity=\"0.75\"><title>{} {} {}</title>"
        "</circle>\n",
        kLeft + d.place(row->anchor.measured), bottom - d.place(*row->simulated), colours.at(row->anchor.workload),
        escaped(row->anchor.id), escaped(row->anchor.metric), percent(*row->error()));
  }
  double y = kTop + 12;
  for (const auto& [workload, colour] : colours) {
    svg += fmt::format(
        "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4\" fill=\"{}\"/><text x=\"{:.1f}\" y=\"{:.1f}\">{}"
        "</text>\n",
        right + 24, y - 4, colour, right + 34, y, escaped(workload));
    y += 18;
  }
  svg += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">measured, us</text>\n", kLeft + kSide / 2,
                     bottom + 40);
  svg += fmt::format(
      "<text x=\"20\" y=\"{:.1f}\" text-anchor=\"middle\" transform=\"rotate(-90 20 {:.1f})\">simulated, "
      "us</text>\n",
      kTop + kSide / 2, kTop + kSide / 2);
  return svg + "</svg>\n";
}

std::string fidelity_page(const std::vector<AnchorResult>& rows, const model::Machine& machine, std::string_view plot) {
  return fmt::format(
      "# How far the model is from silicon\n\nWritten by `npusim validate --report`. Measured times are published "
      "ones, "
      "each with its source; every row is run as its flags say, in timing mode.\n\n"
      "![simulated against measured microseconds; the band is 10 % wide to either side]({})\n\n{}\n{}\n{}\n{}\n{}",
      plot, totals_section(rows), pairs_section(rows), missing_section(rows), rows_section(rows),
      figures_section(machine));
}

}  // namespace npu::orch
