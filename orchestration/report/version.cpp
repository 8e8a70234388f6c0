#include "orchestration/report/version.hpp"

namespace npu::orch {

const std::string_view kVersion{NPU_VERSION};

}  // namespace npu::orch
