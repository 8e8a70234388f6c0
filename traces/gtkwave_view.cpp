#include "traces/gtkwave_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace npu::traces {
namespace {

constexpr std::string_view kExtension = ".vcd";
constexpr int kWidth = 1600;
constexpr int kHeight = 900;
constexpr int kNamesWidth = 300;
constexpr int kWaveWidth = kWidth - 2 * kNamesWidth - 50;  ///< what the lists and bars beside it leave
constexpr int kZoomPixels = 200;  ///< GTKWave's zoom is minus the binary logarithm of the ticks in so many pixels

// Flags of GTKWave's traces, hexadecimal in the file.
constexpr unsigned kDecimal = 0x24;  ///< right-adjusted
constexpr unsigned kText = 0x28;
constexpr unsigned kBlank = 0x200;
constexpr unsigned kGroupBegin = 0x800000 | kBlank;
constexpr unsigned kGroupEnd = 0x1000000 | kBlank;
constexpr unsigned kFolded = 0x400000;
constexpr unsigned kHidden = 0x1000;  ///< inside a folded group

}  // namespace

std::string view_path(std::string_view vcd_path) {
  if (!vcd_path.ends_with(kExtension)) return {};
  return std::string{vcd_path.substr(0, vcd_path.size() - kExtension.size())} + ".gtkw";
}

std::string gtkwave_view(std::string_view vcd_path, std::uint64_t begin, std::uint64_t end,
                         const std::vector<ViewGroup>& groups) {
  const auto ticks = static_cast<double>(std::max<std::uint64_t>(end - begin, 1));
  std::string text = fmt::format("[*] npusim\n[dumpfile] \"{}\"\n[timestart] {}\n[size] {} {}\n[pos] -1 -1\n",
                                 vcd_path.substr(vcd_path.rfind('/') + 1), begin, kWidth, kHeight);
  text += fmt::format("*{:.6f} {}\n", -std::log2(ticks / kWaveWidth * kZoomPixels), begin);
  text += fmt::format("[sst_width] {0}\n[signals_width] {0}\n", kNamesWidth);
  for (const ViewGroup& group : groups) {
    const unsigned folded = group.open ? 0 : kFolded;
    text += fmt::format("@{:x}\n-{}\n", kGroupBegin | folded, group.title);
    for (const ViewSignal& signal : group.signals) {
      text +=
          fmt::format("@{:x}\n+{{{}}} {}\n", signal.path.ends_with(']') ? kDecimal : kText, signal.shown, signal.path);
    }
    text += fmt::format("@{:x}\n-{}\n", kGroupEnd | folded | (group.open ? 0 : kHidden), group.title);
  }
  return text;
}

}  // namespace npu::traces
