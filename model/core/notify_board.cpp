#include "model/core/notify_board.hpp"

#include <cstring>

namespace npu::model {

NotifyBoard::NotifyBoard(const sc_core::sc_module_name& name, Environment env, MemorySystem& memory)
    : sc_module{name}, env_{env}, memory_{memory} {
  SC_HAS_PROCESS(NotifyBoard);
  SC_METHOD(deliver);
  sensitive << due_;
  dont_initialize();
}

void NotifyBoard::post(std::uint64_t arrival, const Notify& notify) {
  pending_.emplace(Order{arrival, notify.address, notify.sender.card, notify.sender.index, sequence_++}, notify);
  env_.clock.notify_at(due_, pending_.begin()->first.arrival);
}

void NotifyBoard::watch(std::uint64_t address, CellWatcher& watcher) { watchers_.emplace(address, &watcher); }

void NotifyBoard::unwatch(std::uint64_t address, CellWatcher& watcher) {
  for (auto [it, end] = watchers_.equal_range(address); it != end; ++it) {
    if (it->second == &watcher) {
      watchers_.erase(it);
      return;
    }
  }
}

void NotifyBoard::stored(std::uint64_t address, std::uint64_t bytes) {
  for (auto it = watchers_.lower_bound(address); it != watchers_.end() && it->first < address + bytes; ++it) {
    it->second->cell_written(nullptr);
  }
}

void NotifyBoard::deliver() {
  env_.faults.guard([this] { perform_due(); });
}

void NotifyBoard::perform_due() {
  const std::uint64_t now = env_.clock.now();
  while (!pending_.empty() && pending_.begin()->first.arrival <= now) {
    const Notify notify = pending_.begin()->second;
    pending_.erase(pending_.begin());
    std::byte* cell = memory_.resolve(notify.address, sizeof(std::int32_t), "notify");
    std::int32_t value = 0;
    std::memcpy(&value, cell, sizeof value);
    value =
        notify.add
            ? static_cast<std::int32_t>(static_cast<std::uint32_t>(value) + static_cast<std::uint32_t>(notify.value))
            : notify.value;
    std::memcpy(cell, &value, sizeof value);
    env_.observers.tell([&](Observer& o) { o.notify_performed(notify, Cycles{now}); });
    for (auto [it, end] = watchers_.equal_range(notify.address); it != end; ++it) it->second->cell_written(&notify);
  }
  if (!pending_.empty()) env_.clock.notify_at(due_, pending_.begin()->first.arrival);
}

}  // namespace npu::model
