// Timing laws of the movers that share L2 and HBM (machine.md 1.1): pure functions of parameters and of the rows that a
// transfer takes, and the window of requests that a core may have under way.
#pragma once

#include <cstdint>

#include "isa/types.hpp"
#include "model/config/machine.hpp"

namespace npu::model {

/// Rows of a transfer in global memory: `lines` pieces of `line_bytes`, `pitch` bytes apart, from `address` on.
struct Rows {
  std::uint64_t address = 0;
  std::uint32_t lines = 1, line_bytes = 0;
  std::int64_t pitch = 0;
  [[nodiscard]] double bytes() const { return static_cast<double>(lines) * line_bytes; }
  [[nodiscard]] bool adjacent() const { return lines <= 1 || pitch == static_cast<std::int64_t>(line_bytes); }
};

/// Requests of at most `request_bytes` that a row needs, in the mean over the rows of a transfer: none crosses a
/// multiple of `request_bytes`, so where rows begin decides. Adjacent rows of a whole part of a request cross none.
[[nodiscard]] double requests_per_row(const Rows& rows, std::uint32_t request_bytes);

/// What a transfer asks of its core and of the shared resources.
struct TransferCost {
  double port = 0;        ///< cycles until its last byte has passed the port when no request waits for others
  double pace = 0;        ///< cycles of the port per request
  double requests = 0;    ///< of at most mte2_request_bytes; 0: a store, whose requests nothing limits
  double neighbours = 0;  ///< further requests for the same mte2_request_bytes of memory, of each request
  double bus_factor = 1;  ///< HBM time per byte missed, as bytes
};

/// GM to L1 or UB. Into L1 every row is fetched by itself; adjacent rows into UB are one piece.
[[nodiscard]] TransferCost load_cost(const CoreParams& core, const MemoryParams& memory, isa::Space destination,
                                     const Rows& rows);

/// Cycles until a request is answered: requests for the same mte2_request_bytes are served one after the other, those
/// of one transfer and those of the `others` that load the same rows at the time.
[[nodiscard]] double answer_cycles(const MemoryParams& memory, const TransferCost& load, bool hit,
                                   std::uint32_t others);

/// The requests that the loads of a core have under way. Little's law: with at most `mte2_requests` under way and an
/// answer after `latency` cycles, a core gets no more than one request per latency / mte2_requests cycles; the first
/// ones of a burst need not wait.
class RequestWindow {
 public:
  /// Cycles from `now` on until the last byte of a load has passed the port, shared resources apart; the load joins
  /// those under way.
  [[nodiscard]] double pass(std::uint64_t now, const TransferCost& load, double latency, std::uint32_t limit);

 private:
  double clear_at_ = 0;  // cycle at which the requests so far would be through, one per latency / limit
};

/// UB to GM.
[[nodiscard]] double mte3_port_cycles(const CoreParams& p, std::uint64_t bytes);
/// L0C to GM.
[[nodiscard]] double fix_port_cycles(const CoreParams& p, std::uint64_t accumulator_bytes, std::uint64_t output_bytes);

}  // namespace npu::model
