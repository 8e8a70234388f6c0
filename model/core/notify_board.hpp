// Notifies on their way to int32 cells, and the cores that wait for cells.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "model/core/core_location.hpp"
#include "model/environment.hpp"
#include "model/memory/memory_system.hpp"

namespace npu::model {

struct Notify {
  std::uint64_t address = 0;
  std::int32_t value = 0;
  bool add = false;
  CoreLocation sender;
  std::uint64_t sent = 0;  ///< cycle
};

/// Told that something was written to a cell it watches.
class CellWatcher {
 public:
  virtual ~CellWatcher() = default;
  virtual void cell_written(const Notify* notify) = 0;  ///< null: an ordinary store
};

class NotifyBoard final : public sc_core::sc_module {
 public:
  NotifyBoard(const sc_core::sc_module_name& name, Environment env, MemorySystem& memory);

  /// Performs the notify at `arrival`; simultaneous ones in the order of (arrival, address, sender, send order).
  void post(std::uint64_t arrival, const Notify& notify);
  void watch(std::uint64_t address, CellWatcher& watcher);
  void unwatch(std::uint64_t address, CellWatcher& watcher);
  /// A mover has written [address, address + bytes).
  void stored(std::uint64_t address, std::uint64_t bytes);

 private:
  void deliver();  // SC_METHOD
  void perform_due();
  struct Order {
    std::uint64_t arrival, address;
    std::uint32_t card, core;  ///< of the sender
    std::uint64_t sequence;
    auto operator<=>(const Order&) const = default;
  };
  Environment env_;
  MemorySystem& memory_;
  sc_core::sc_event due_;
  std::map<Order, Notify> pending_;
  std::multimap<std::uint64_t, CellWatcher*> watchers_;
  std::uint64_t sequence_ = 0;
};

}  // namespace npu::model
