// A prepared view of a waveform for GTKWave: which signals to show, under which names, in which groups.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace npu::traces {

struct ViewSignal {
  std::string shown;  ///< the name in the list of signals, which leaves out what precedes a dot
  std::string path;   ///< full name in the waveform, with the range of a vector
};

struct ViewGroup {
  std::string title;
  bool open = false;  ///< the others are folded
  std::vector<ViewSignal> signals;
};

/// `NAME.gtkw` for `NAME.vcd`, and nothing for other names.
[[nodiscard]] std::string view_path(std::string_view vcd_path);

/// The text of the view of [begin, end) in ticks, which fills the window. Vectors are shown as decimal numbers.
[[nodiscard]] std::string gtkwave_view(std::string_view vcd_path, std::uint64_t begin, std::uint64_t end,
                                       const std::vector<ViewGroup>& groups);

}  // namespace npu::traces
