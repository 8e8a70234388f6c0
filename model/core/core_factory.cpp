#include "model/core/core_factory.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "model/core/core.hpp"
#include "model/core/notify_board.hpp"

namespace npu::model {
namespace {

/// SystemC object names have no dots.
std::string module_name(const CoreLocation& at) {
  std::string name = track_name(at);
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
}

}  // namespace

CoreFactory make_core_factory(Environment env, MemorySystem& memory, const SystemOptions& options) {
  auto board = std::make_shared<NotifyBoard>("notify_board", env, memory);
  const CoreServices services{memory, board, options.cards, options.mode, options.activity};
  using Cluster = std::array<Core*, kCoresPerCluster>;
  auto clusters = std::make_shared<std::map<std::pair<std::uint32_t, std::uint32_t>, Cluster>>();
  return [env, services, clusters](const CoreLocation& at, BlockObserver& observer) -> std::unique_ptr<CoreInterface> {
    auto core = std::make_unique<Core>(module_name(at).c_str(), env, at, services, observer);
    Cluster& cluster = (*clusters)[{at.card, at.cluster}];
    cluster[at.kind == isa::CoreKind::AIC ? 0 : 1 + at.sub_block] = core.get();
    if (std::find(cluster.begin(), cluster.end(), nullptr) == cluster.end()) {
      for (Core* member : cluster) member->connect(cluster);
    }
    return core;
  };
}

}  // namespace npu::model
