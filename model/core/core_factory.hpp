// How a card gets its cores: the system passes real ones, a test passes whatever implements CoreInterface.
#pragma once

#include <functional>
#include <memory>

#include "model/core/block.hpp"
#include "model/core/core_location.hpp"
#include "model/environment.hpp"
#include "model/memory/memory_system.hpp"

namespace npu::model {

/// Called once per core, card by card in index order, before the simulation starts. The observer outlives the core.
using CoreFactory = std::function<std::unique_ptr<CoreInterface>(const CoreLocation&, BlockObserver&)>;

/// Cores that execute programs on the memory of all cards. `memory` outlives the cores.
[[nodiscard]] CoreFactory make_core_factory(Environment env, MemorySystem& memory, const SystemOptions& options);

}  // namespace npu::model
