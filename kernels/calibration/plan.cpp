#include "kernels/calibration/plan.hpp"

#include "isa/errors.hpp"

namespace npu::kernels {

std::uint32_t cores_of(const char* kernel, std::uint32_t wanted, std::uint32_t present, const char* kind) {
  if (wanted > present) {
    throw config_error("{}: --cores {} exceeds the {} {} cores of a card (chip.clusters); choose at most {}", kernel,
                       wanted, present, kind, present);
  }
  return wanted == 0 ? present : wanted;
}

}  // namespace npu::kernels
