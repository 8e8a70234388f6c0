// Flags of experiments that read their inputs from a file, or write them into one.
#pragma once

#include "orchestration/experiment/flags.hpp"

namespace npu::orch {

inline constexpr FlagSpec kDataFlag{.word = "--data",
                                    .kind = FlagKind::Text,
                                    .value = "FILE",
                                    .group = "Data",
                                    .summary = "inputs and expected outputs from a safetensors file"};
inline constexpr FlagSpec kSaveDataFlag{.word = "--save-data",
                                        .kind = FlagKind::Text,
                                        .value = "DIR",
                                        .group = "Data",
                                        .summary = "directory for inputs, expected and actual outputs"};

}  // namespace npu::orch
