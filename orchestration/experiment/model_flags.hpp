// Flags that every experiment on layers of a model takes.
#pragma once

#include "orchestration/experiment/flags.hpp"

namespace npu::orch {

inline constexpr FlagSpec kPresetFlag{
    .word = "--preset",
    .kind = FlagKind::Text,
    .value = "NAME|FILE",
    .group = "Sizes",
    .summary =
        "model dimensions: tiny, small, demo, flash, flash-8k, pro, or a TOML file (default: those of --data, "
        "else small)",
    .of_fit = true};
inline constexpr FlagSpec kBatchFlag{.word = "--batch",
                                     .kind = FlagKind::Number,
                                     .value = "N",
                                     .group = "Sizes",
                                     .summary = "requests per rank (default: the preset's)",
                                     .of_fit = true};
inline constexpr FlagSpec kSeqFlag{.word = "--seq",
                                   .kind = FlagKind::Number,
                                   .value = "N",
                                   .group = "Sizes",
                                   .summary = "tokens per request and step (default: the preset's)",
                                   .of_fit = true};
inline constexpr FlagSpec kStartPosFlag{
    .word = "--start-pos",
    .kind = FlagKind::Number,
    .value = "N",
    .group = "Sizes",
    .summary = "position of every request's first token (default: the preset's, else a mix of near ones)",
    .of_fit = true};
inline constexpr FlagSpec kAllExpertsFlag{
    .word = "--all-experts",
    .group = "Sizes",
    .summary =
        "spread all routed experts of the model over the cards (default: a card holds the eighth of them that "
        "it holds at --ep 8, so the model has fewer at a smaller --ep)",
    .of_fit = true};

}  // namespace npu::orch
