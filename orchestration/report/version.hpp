// Which npusim this is.
#pragma once

#include <string_view>

namespace npu::orch {

/// "major.minor.patch", as CMakeLists.txt states it.
extern const std::string_view kVersion;

}  // namespace npu::orch
