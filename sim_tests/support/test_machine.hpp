// A machine of small, round figures, for expectations that fit into the margin of a test. It has nothing to do with the
// shipped files: calibration must not move unit tests.
#pragma once

#include "model/config/machine.hpp"

namespace npu::test {

/// 1000 MHz, so that a cycle is a nanosecond and 1 GB/s is 1 byte per cycle. See the source for the figures.
[[nodiscard]] model::Machine test_machine();
[[nodiscard]] model::Params test_params();

}  // namespace npu::test
