// Numbers of plans that somebody chooses: legal ones make a kernel, the others are refused with their range.
#include <algorithm>
#include <catch2/catch.hpp>
#include <set>
#include <string>

#include "isa/builder/capacity.hpp"
#include "isa/errors.hpp"
#include "sim_tests/kernels/layer_kernels.hpp"

namespace npu::test {
namespace {

using Catch::Matchers::Contains;
using kernels::PlanChoice;
using kernels::PlanValue;

const isa::ArchSpec& arch() {
  static const isa::ArchSpec kArch = isa::a2a3_arch_spec();
  return kArch;
}

std::uint32_t value_of(const kernels::Kernel& kernel, std::string_view name) {
  const auto found =
      std::find_if(kernel.plan.begin(), kernel.plan.end(), [&](const PlanValue& v) { return v.name == name; });
  return found == kernel.plan.end() ? 0 : found->value;
}

/// What is wrong with the choice; empty where it makes a kernel, or one that does not fit the card.
std::string refusal(const NamedKernel& kernel, const std::string& field, std::uint32_t value) {
  try {
    const kernels::Kernel built = kernel.build(arch(), {{field, value}});
    CHECK(value_of(built, field) == value);
  } catch (const isa::CapacityError&) {
  } catch (const ConfigError& error) {
    return error.what();
  }
  return {};
}

}  // namespace

TEST_CASE("the plan that a kernel makes for itself is within its own ranges") {
  for (const NamedKernel& kernel : kernels_of_a_layer()) {
    std::set<std::string_view> names;
    for (const PlanValue& value : kernel.build(arch(), {}).plan) {
      CAPTURE(kernel.name, value.name, value.value, kernels::range_text(value.range, value.unit));
      CHECK(value.range.holds(value.value));
      CHECK(names.insert(value.name).second);
    }
  }
}

TEST_CASE("every number of a plan can be chosen within its range, and not beyond") {
  for (const NamedKernel& kernel : kernels_of_a_layer()) {
    for (const PlanValue& value : kernel.build(arch(), {}).plan) {
      const std::string field{value.name};
      const auto& [least, most, granule, divides] = value.range;
      for (const std::uint32_t chosen : {least, std::min(most, least + granule), std::max(least, most / 2), most}) {
        CAPTURE(kernel.name, field, chosen);
        const std::string text = refusal(kernel, field, chosen);
        // Another number may not go with it: then it is named.
        if (value.range.holds(chosen)) CHECK((text.empty() || text.find("choose it too") != std::string::npos));
        if (!value.range.holds(chosen)) CHECK_THAT(text, Contains("--tile " + kernel.name + "." + field));
      }
      CHECK_THAT(refusal(kernel, field, most + 1), Contains(kernels::range_text(value.range, value.unit)));
    }
  }
}

TEST_CASE("a number that a plan does not have is refused with the nearest") {
  const kernels::MatmulShape shape{64, 512, 256, isa::DType::BF16, kernels::WeightOrder::KN};
  CHECK_THROWS_WITH(kernels::float_matmul("m", shape, arch(), {{"base_q", 16}}),
                    Contains("--tile m.base_q") && Contains("nearest is base_"));
  CHECK_THROWS_WITH(kernels::float_matmul("m", shape, arch(), {{"base_k", 48}}),
                    Contains("--tile m.base_k=48: choose 16 to 256 elements, multiples of 16, divisors of 256"));
}

TEST_CASE("a chosen number stays where the rest of the plan is cut until it fits") {
  isa::ArchSpec small = arch();
  isa::BufferSpec& ub = small.buffers[isa::index_of(isa::Space::UB)];
  ub.capacity = ub.physical = isa::Bytes{16 * 1024};
  const kernels::QuantMatmulShape shape{64, 8192, 256, kernels::WeightOrder::KN, isa::DType::F32};
  const kernels::Kernel free = kernels::quant_matmul("m", shape, small);
  CHECK(value_of(free, "rows") < 16);
  const kernels::Kernel held = kernels::quant_matmul("m", shape, small, {{"base_n", 32}});
  CHECK(value_of(held, "base_n") == 32);
  CHECK_THROWS_AS(kernels::quant_matmul("m", shape, small, {{"rows", 64}}), isa::CapacityError);
}

TEST_CASE("a plan as a value makes exactly its kernel") {
  const kernels::MatmulShape shape{64, 512, 256, isa::DType::BF16, kernels::WeightOrder::KN};
  kernels::MatmulPlan plan = kernels::plan_float_matmul("m", shape, arch());
  CHECK(kernels::float_matmul(plan, "m", arch()).object == kernels::float_matmul("m", shape, arch()).object);
  plan.tiling.base_m = 16;
  CHECK(kernels::float_matmul(plan, "m", arch()).object ==
        kernels::float_matmul("m", shape, arch(), {{"base_m", 16}}).object);
}

}  // namespace npu::test
