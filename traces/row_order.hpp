// The order in which people read the rows of a machine.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "traces/sink.hpp"

namespace npu::traces {

/// Host first, then card by card (orchestrator, schedulers, cores: cube before vector), then links. A core is
/// followed by its pipes in the order of data flow: s, mte2, mte1, m, fix or s, mte2, v, mte3. Numbers inside names
/// compare as numbers: aic2 stands before aic10.
[[nodiscard]] bool row_before(const TrackInfo& a, const TrackInfo& b);

/// Indices of `tracks` in reading order; tracks that compare equal keep their order.
[[nodiscard]] std::vector<std::size_t> reading_order(std::span<const TrackInfo> tracks);

/// "card0.aic3.mte2" without its first part if that part names the card of the track: "aic3.mte2".
[[nodiscard]] std::string_view name_within_card(const TrackInfo& track);

}  // namespace npu::traces
