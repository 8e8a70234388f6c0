#include "orchestration/data/parallel.hpp"

#include <algorithm>
#include <thread>
#include <vector>

#include "isa/stop_signal.hpp"

namespace npu::orch {

unsigned processors() { return std::max(1U, std::thread::hardware_concurrency()); }

void parallel_rows(std::uint64_t rows, std::uint64_t cost_per_row, unsigned threads,
                   const std::function<void(std::uint64_t, std::uint64_t)>& work) {
  throw_if_stopped();
  constexpr std::uint64_t kWorthAThread = 1U << 20U;
  const std::uint64_t workers_at_most = threads != 0 ? threads : processors();
  const std::uint64_t parts = std::min({workers_at_most, rows, rows * cost_per_row / kWorthAThread + 1});
  if (parts <= 1) {
    if (rows != 0) work(0, rows);
    return;
  }
  std::vector<std::jthread> workers;
  for (std::uint64_t p = 1; p < parts; ++p) {
    workers.emplace_back([&work, rows, parts, p] { work(rows * p / parts, rows * (p + 1) / parts); });
  }
  work(0, rows / parts);
}

}  // namespace npu::orch
