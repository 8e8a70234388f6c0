// Process-wide settings of SystemC that every simulation of this project relies on. No SystemC in this header.
#pragma once

namespace npu::model {

/// Sets the time resolution to 1 fs, turns SystemC warnings into exceptions and silences its information messages.
/// May be called repeatedly; the first call precedes every SystemC time and object.
void prepare_simulation();

}  // namespace npu::model
