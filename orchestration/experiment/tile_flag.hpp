// --tile: numbers of kernels' plans, chosen by hand.
#pragma once

#include "orchestration/experiment/experiment.hpp"
#include "orchestration/experiment/flags.hpp"
#include "orchestration/host/kernel_store.hpp"

namespace npu::orch {

inline constexpr FlagSpec kTileFlag{
    .word = "--tile",
    .kind = FlagKind::List,
    .value = "KERNEL.FIELD=VALUE",
    .group = "Plans",
    .summary =
        "a number of a kernel's plan, for example q_b_matmul.base_n=128 (of an only kernel: FIELD=VALUE); fit "
        "lists kernels, fields and ranges; repeatable",
    .of_fit = true};

/// ConfigError for texts of another form, and for a field that is given twice.
[[nodiscard]] PlanChoices plan_choices(const FlagValues& flags);
[[nodiscard]] KernelOptions kernel_options(Purpose purpose, PlanChoices plans);

}  // namespace npu::orch
