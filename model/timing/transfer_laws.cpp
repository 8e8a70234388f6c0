#include "model/timing/transfer_laws.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "isa/units.hpp"

namespace npu::model {

using isa::Space;

double requests_per_row(const Rows& rows, std::uint32_t request_bytes) {
  const std::uint64_t size = request_bytes, bytes = rows.line_bytes;
  const std::uint64_t least = isa::ceil_div(bytes, size);
  const std::uint64_t offset = rows.address % size;
  if (rows.lines <= 1) return static_cast<double>(isa::ceil_div(offset + bytes, size));
  if (rows.adjacent()) return static_cast<double>(least);
  // The offsets of the rows run through the multiples of the step, in whatever order; over one period the requests are
  // the sum of ceil((first + k step + bytes) / size) for k = 0 .. size / step - 1, which has a closed form.
  const std::uint64_t step = std::gcd(static_cast<std::uint64_t>(rows.pitch) % size, size);
  const std::uint64_t positions = size / step, first = offset % step;
  const std::uint64_t sum = isa::ceil_div(first + bytes, step) + positions - 1;
  return static_cast<double>(sum) / static_cast<double>(positions);
}

TransferCost load_cost(const CoreParams& core, const MemoryParams& memory, Space destination, const Rows& rows) {
  const bool to_l1 = destination == Space::L1, one_piece = !to_l1 && rows.adjacent();
  const double width = to_l1 ? core.mte2_l1_bytes_per_cycle : core.mte2_ub_bytes_per_cycle;
  const double bytes = rows.bytes();
  if (one_piece) {
    const Rows piece{.address = rows.address, .lines = 1, .line_bytes = rows.lines * rows.line_bytes, .pitch = 0};
    const double requests = requests_per_row(piece, core.mte2_request_bytes);
    return {.port = core.mte2_issue_gap_cycles + bytes / width, .pace = bytes / width / requests, .requests = requests};
  }
  const double lines = rows.lines, row_cycles = core.mte2_row_cycles, row = rows.line_bytes / width;
  const double each = requests_per_row(rows, core.mte2_request_bytes);
  const auto least = static_cast<double>(isa::ceil_div(std::uint64_t{rows.line_bytes}, core.mte2_request_bytes));
  const double overhead = to_l1 ? memory.hbm_l1_request_bytes : memory.hbm_ub_request_bytes;
  TransferCost cost;
  const double into_l1 = rows.line_bytes > width ? row_cycles + row : row;
  const double row_time = to_l1 ? into_l1 : std::max(row, row_cycles);
  cost.port = core.mte2_issue_gap_cycles + lines * row_time;
  cost.pace = row_time / each;
  cost.requests = lines * each;
  if (rows.lines > 1 && rows.pitch > 0 && rows.pitch < core.mte2_request_bytes) {
    cost.neighbours = std::min(lines, core.mte2_request_bytes / static_cast<double>(rows.pitch)) - 1;
  }
  // A row that touches more whole pieces than its length needs costs the bus one more piece.
  cost.bus_factor = 1 + (each * overhead + (each - least) * core.mte2_request_bytes) / rows.line_bytes;
  return cost;
}

double answer_cycles(const MemoryParams& memory, const TransferCost& load, bool hit, std::uint32_t others) {
  return (hit ? memory.read_hit_cycles : memory.read_miss_cycles) +
         memory.same_address_cycles * (load.neighbours + others);
}

double RequestWindow::pass(std::uint64_t now, const TransferCost& load, double latency, std::uint32_t limit) {
  const auto start = static_cast<double>(now);
  // The first `limit` requests go at the port's own pace while their answers are under way.
  const double head_start = std::max(0.0, latency - limit * load.pace);
  clear_at_ = std::max(clear_at_, start) + load.requests * latency / limit;
  return std::max(load.port, clear_at_ - head_start - start);
}

double mte3_port_cycles(const CoreParams& p, std::uint64_t bytes) {
  return std::max(1.0, static_cast<double>(bytes) / p.mte3_bytes_per_cycle);
}

double fix_port_cycles(const CoreParams& p, std::uint64_t accumulator_bytes, std::uint64_t output_bytes) {
  return p.fix_startup_cycles + std::max(static_cast<double>(accumulator_bytes) / p.fix_l0c_bytes_per_cycle,
                                         static_cast<double>(output_bytes) / p.fix_gm_bytes_per_cycle);
}

}  // namespace npu::model
