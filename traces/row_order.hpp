// The order in which people read the rows of a machine.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "traces/sink.hpp"

namespace npu::traces {

/// Host first, then card by card (counters of the card, orchestrator, schedulers, memory, cores), then links. A core is
/// followed by its pipes in the order of data flow: s, mte2, mte1, m, fix or s, mte2, v, mte3. Numbers inside names
/// compare as numbers: cluster2 stands before cluster10.
[[nodiscard]] bool row_before(const TrackInfo& a, const TrackInfo& b);

/// Indices of `tracks` in reading order; tracks that compare equal keep their order.
[[nodiscard]] std::vector<std::size_t> reading_order(std::span<const TrackInfo> tracks);

/// Rows that a viewer folds together: "host", "links", "card0", and for the pipes of a cluster "card0.cluster3".
[[nodiscard]] std::string group_of(const TrackInfo& track);

/// "cluster3.aic.mte2" for "card0.cluster3.aic.mte2" in group "card0"; names outside of the group stay whole.
[[nodiscard]] std::string_view name_within(std::string_view group, const TrackInfo& track);

}  // namespace npu::traces
