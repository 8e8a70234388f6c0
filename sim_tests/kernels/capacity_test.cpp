// Plans for cards of any size: every kernel either fits or says what its smallest plan needs.
#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "isa/errors.hpp"
#include "isa/shape_rules.hpp"
#include "kernels/attention/index_list.hpp"
#include "kernels/common/cube_matmul.hpp"
#include "sim_tests/kernels/layer_kernels.hpp"

namespace npu {
namespace {

using namespace isa;
using kernels::LayerConfig;
using test::kernels_of_a_layer;
using test::NamedKernel;

constexpr Space kSpaces[] = {Space::L1, Space::L0A, Space::L0B, Space::L0C, Space::UB};

void set_capacity(ArchSpec& arch, Space space, std::uint64_t kib) {
  BufferSpec& buffer = arch.buffers[index_of(space)];
  buffer.capacity = buffer.physical = Bytes{kib * 1024};
}

class Draw {
 public:
  explicit Draw(unsigned seed) : generator_{seed} {}
  /// 0 .. n - 1.
  std::uint32_t operator()(std::uint32_t n) { return static_cast<std::uint32_t>(generator_() % n); }

 private:
  std::mt19937 generator_;
};

/// Powers of two from 1 KiB to 2 MiB, each space its own.
void draw_capacities(ArchSpec& arch, Draw& draw) {
  for (const Space space : kSpaces) set_capacity(arch, space, 1U << draw(12));
}

/// Whether the kernel is built; checks that a refusal names it and reports a need above a limit.
bool is_built(const NamedKernel& kernel, const ArchSpec& arch) {
  try {
    const kernels::Kernel built = kernel.build(arch, {});
    for (const SpaceBudget& budget : budgets_of(built.memory_map, arch)) CHECK_FALSE(budget.is_over());
    return true;
  } catch (const CapacityError& error) {
    CHECK_THAT(error.what(), Catch::Contains("kernel " + kernel.name + ": its tiles need"));
    const auto budgets = budgets_of(error.memory_map, arch);
    CHECK(std::any_of(budgets.begin(), budgets.end(), [](const SpaceBudget& b) { return b.is_over(); }));
    return false;
  }
}

TEST_CASE("every kernel of a layer fits or reports its need, whatever the capacity of a space", "[capacity]") {
  for (const NamedKernel& kernel : kernels_of_a_layer()) {
    for (const Space space : kSpaces) {
      bool built = false;
      for (const std::uint64_t kib : {1U, 5U, 24U, 90U, 336U, 1000U, 65'536U}) {
        ArchSpec arch = a2a3_arch_spec();
        set_capacity(arch, space, kib);
        CAPTURE(kernel.name, name_of(space), kib);
        const bool now = is_built(kernel, arch);
        CHECK((now || !built));  // more of a space never makes a kernel illegal
        built = now;
      }
      CHECK(built);
    }
  }
}

TEST_CASE("every kernel of a layer fits or reports its need on cards of random size", "[capacity]") {
  Draw draw{20251125};
  const auto kernels = kernels_of_a_layer();
  for (int card = 0; card < 12; ++card) {
    ArchSpec arch = a2a3_arch_spec();
    draw_capacities(arch, draw);
    arch.clusters = 1 + draw(64);
    CAPTURE(card, arch.clusters);
    for (const NamedKernel& kernel : kernels) {
      CAPTURE(kernel.name);
      (void)is_built(kernel, arch);
    }
  }
}

TEST_CASE("a matrix plan divides k into whole fractals and takes no more than fits or one fractal", "[capacity]") {
  Draw draw{7};
  for (int i = 0; i < 2000; ++i) {
    ArchSpec arch = a2a3_arch_spec();
    draw_capacities(arch, draw);
    const DType dtype = draw(2) == 0 ? DType::I8 : DType::F32;
    const std::uint32_t size = size_of(dtype), k0 = arch.fractal_bytes / size;
    const kernels::MatmulShape shape{1 + draw(300), 1 + draw(3000), k0 * (1 + draw(200)), dtype,
                                     draw(2) == 0 ? kernels::WeightOrder::NK : kernels::WeightOrder::KN};
    const kernels::MatmulTiling t = kernels::plan_matmul("probe", arch, shape, 1 + draw(48));
    REQUIRE(t.base_k % k0 == 0);
    REQUIRE(shape.k % t.slab_k() == 0);
    const bool by_rows = shape.order == kernels::WeightOrder::KN;  // steps of a slab start at whole fractals of rows
    REQUIRE((!by_rows || t.step_k == 1 || t.base_k % arch.fractal_rows == 0));
    const std::uint64_t stride = std::uint64_t{std::max(t.base_m, t.base_n)} * t.base_k * size;
    const std::uint64_t left = stride * (t.l0_slots - 1) + std::uint64_t{t.base_m} * t.base_k * size;
    const std::uint64_t right = stride * (t.l0_slots - 1) + std::uint64_t{t.base_n} * t.base_k * size;
    const std::uint64_t slab = std::uint64_t{t.l1_slots} * (t.base_m + t.base_n) * t.slab_k() * size;
    REQUIRE(t.base_k <= kMaxMatmulExtent);
    const auto holds = [&](Space space, std::uint64_t bytes) { return bytes <= arch.buffer(space).capacity.count(); };
    REQUIRE(((holds(Space::L0A, left) && holds(Space::L0B, right)) || t.base_k == k0));
    REQUIRE((holds(Space::L1, slab) || (t.base_k == k0 && t.step_k == 1)));
  }
}

TEST_CASE("a k that is not made of whole fractals is refused with kernel and figure", "[capacity]") {
  ArchSpec arch = a2a3_arch_spec();
  arch.fractal_bytes = 256;
  CHECK_THROWS_WITH(
      kernels::quant_matmul("narrow", {16, 64, 96, kernels::WeightOrder::NK, DType::F32}, arch),
      Catch::Contains("kernel narrow") && Catch::Contains("k = 96") && Catch::Contains("core.fractal_bytes = 256"));
}

TEST_CASE("a softmax block beyond one matrix product is refused by its field", "[capacity]") {
  LayerConfig cfg;
  cfg.softmax_block = 1U << 24U;
  CHECK_THROWS_AS(kernels::sparse_attention(cfg, a2a3_arch_spec(), 128), ConfigError);
  CHECK_THROWS_WITH(kernels::sparse_attention(cfg, a2a3_arch_spec(), 128),
                    Catch::Contains("softmax_block = 16777216") && Catch::Contains("4095"));
}

}  // namespace
}  // namespace npu
