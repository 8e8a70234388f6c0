// Work on independent rows with the host's threads.
#pragma once

#include <cstdint>
#include <functional>

namespace npu::orch {

/// Threads for generators and references: one per processor.
[[nodiscard]] unsigned processors();

/// Calls work(begin, end) on disjoint ranges that cover [0, rows), from up to `threads` threads (0: one per processor).
/// Small jobs (rows * cost_per_row below about a million operations) stay on the caller's thread. Throws
/// Interrupted instead where a signal has asked the process to end.
void parallel_rows(std::uint64_t rows, std::uint64_t cost_per_row, unsigned threads,
                   const std::function<void(std::uint64_t begin, std::uint64_t end)>& work);

}  // namespace npu::orch
