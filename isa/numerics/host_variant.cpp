#include "isa/numerics/host_variant.hpp"

#include <atomic>

#include "isa/errors.hpp"

namespace npu::isa {
namespace {

HostVariant widest_supported() {
  for (const HostVariant v : {HostVariant::Avx512, HostVariant::Avx2}) {
    if (host_supports(v)) return v;
  }
  return HostVariant::Baseline;
}

std::atomic<HostVariant>& selected() {
  static std::atomic<HostVariant> variant{widest_supported()};
  return variant;
}

}  // namespace

bool host_supports(HostVariant variant) {
  switch (variant) {
    case HostVariant::Baseline:
      return true;
#if defined(__x86_64__)
    case HostVariant::Avx2:
      return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
    case HostVariant::Avx512:
      return host_supports(HostVariant::Avx2) && __builtin_cpu_supports("avx512f") != 0 &&
             __builtin_cpu_supports("avx512bw") != 0 && __builtin_cpu_supports("avx512dq") != 0 &&
             __builtin_cpu_supports("avx512vl") != 0;
#else
    case HostVariant::Avx2:
    case HostVariant::Avx512:
      return false;
#endif
  }
  return false;
}

HostVariant host_variant() { return selected().load(std::memory_order_relaxed); }

void select_host_variant(HostVariant variant) {
  NPU_ASSERT(host_supports(variant), "host variant that this processor lacks");
  selected().store(variant, std::memory_order_relaxed);
}

}  // namespace npu::isa
