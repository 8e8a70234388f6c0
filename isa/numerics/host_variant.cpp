#include "isa/numerics/host_variant.hpp"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <vector>

#include "isa/errors.hpp"
#include "isa/shown_text.hpp"

namespace npu::isa {
namespace {

HostVariant widest_supported() {
  for (const HostVariant v : {HostVariant::Avx512, HostVariant::Avx2}) {
    if (host_supports(v)) return v;
  }
  return HostVariant::Baseline;
}

HostVariant initial_variant() {
  const char* const text = std::getenv(kHostVariantSetting);
  if (text == nullptr) return widest_supported();
  std::vector<std::string_view> supported;
  for (std::size_t i = 0; i < kHostVariantNames.size(); ++i) {
    if (host_supports(static_cast<HostVariant>(i))) supported.push_back(kHostVariantNames[i]);
  }
  const auto wanted = std::find(supported.begin(), supported.end(), text);
  if (wanted == supported.end()) {
    const bool known = std::find(kHostVariantNames.begin(), kHostVariantNames.end(), text) != kHostVariantNames.end();
    throw config_error("{}={}: {}; this processor runs {}", kHostVariantSetting, shown(text),
                       known ? "the processor lacks these instructions" : "there is no such variant",
                       fmt::join(supported, ", "));
  }
  // Narrow to wide, so that what is supported keeps its place among the names.
  return static_cast<HostVariant>(wanted - supported.begin());
}

std::atomic<HostVariant>& selected() {
  static std::atomic<HostVariant> variant{initial_variant()};
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
