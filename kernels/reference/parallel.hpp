// Work split over host threads without any influence on results.
#pragma once

#include <cstddef>
#include <functional>

namespace npu::kernels::reference {

/// Calls work(i) once for each i in [0, count), on up to `threads` threads (0 and 1: the caller's alone). Each call
/// must write only what belongs to its i. Rethrows the exception of the smallest i that threw,
/// Interrupted where a signal has asked the process to end.
void parallel_for(std::size_t count, unsigned threads, const std::function<void(std::size_t)>& work);

}  // namespace npu::kernels::reference
